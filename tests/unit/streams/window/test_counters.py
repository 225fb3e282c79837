from prometheus_client import CollectorRegistry

from schemas.batch import LOSS_CAUSES
from streams.window.counters import FlowCounters
from streams.window.ledger import Added
from tests.support.parts import bare_part, batch


def _labels(registry: CollectorRegistry) -> dict[str, float]:
    return {
        sample.labels["cause"]: sample.value
        for metric in registry.collect()
        for sample in metric.samples
        if sample.name == "conntrail_worker_reported_losses_total"
    }


def test_causes_that_agents_know_are_told_apart() -> None:
    registry = CollectorRegistry()
    counters = FlowCounters(registry)
    for sequence, cause in enumerate(sorted(LOSS_CAUSES)):
        counters.note(bare_part(batch(sequence=sequence, lost={cause: sequence + 1}), 0), Added())
    assert _labels(registry) == {cause: number for number, cause in enumerate(sorted(LOSS_CAUSES), 1)}


def test_what_nobody_knows_shares_one_label() -> None:
    registry = CollectorRegistry()
    counters = FlowCounters(registry)
    for sequence in range(500):
        lost = {f"made-up-{sequence}": 2, "restarts": 1, "x" * 10_000: 2**63 - 1 if not sequence else 0}
        counters.note(bare_part(batch(sequence=sequence, lost=lost), 0), Added())
    assert set(_labels(registry)) == {"restarts", "other"}
    assert _labels(registry)["restarts"] == 500


def test_a_part_that_was_there_already_is_not_counted_again() -> None:
    registry = CollectorRegistry()
    FlowCounters(registry).note(bare_part(batch(lost={"restarts": 1}), 0), Added(is_duplicate=True))
    assert _labels(registry) == {}
