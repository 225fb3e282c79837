"""The exchanges stage: dns.raw and l7.raw to dns and l7."""

from schemas.schema import read_schema
from schemas.topic import DEAD_LETTER
from streams.dns.record import KIND as DNS
from streams.exchange.counters import ExchangeCounters
from streams.exchange.processor import ExchangeProcessor, ExchangeStage
from streams.l7.record import KIND as L7
from streams.source.intake.processor import IntakeCounters, Source
from streams.source.part import PartDecoder
from streams.source.reader import LogReader
from streams.stage.application.main import application
from streams.stage.main import Built, Process

_STAGE = "exchanges"
_KINDS = (DNS, L7)
_NS_PER_SECOND = 1_000_000_000


def build(process: Process) -> Built:
    """Everything of it, not started."""
    settings = process.settings
    process.need_names()
    kinds = {process.name(kind.raw): kind for kind in _KINDS}
    counters = ExchangeCounters(process.registry)
    writer = process.writer(_STAGE, (*(kind.result for kind in _KINDS), DEAD_LETTER))
    source = Source(
        cluster=settings.cluster,
        stage=_STAGE,
        decoders={name: PartDecoder(read_schema(kind.raw.schema)) for name, kind in kinds.items()},
        log=LogReader(settings.kafka, process.progress_group(_STAGE)),
        writer=writer,
        counters=IntakeCounters(counters.refused, counters.skipped, counters.refused_share),
        share=process.share(" and ".join(kinds)),
    )
    grace_ns = int(settings.window.grace * _NS_PER_SECOND)
    namespaces = tuple(filter(None, map(str.strip, settings.worker.exchange_namespaces.split(","))))
    stage = ExchangeStage(settings.cluster, grace_ns, kinds, source, writer, process.names, counters, namespaces)
    app, topics = application(process, _STAGE, kinds)
    intake = ExchangeProcessor(stage).intake
    intake.register(app, topics)
    return Built(app, intake)
