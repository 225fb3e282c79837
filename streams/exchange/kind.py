"""A kind of exchanges: what makes DNS and applications different to the stage that reads both."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import polars as pl

from schemas.topic import Topic
from streams.exchange.cut import Cut
from streams.exchange.judge import NOT_JUDGED, Judge, Judgement, judgement_record
from streams.exchange.record import Keyed, Origin, Row, Told, cut_record, exchange_record, key_of
from streams.policy.knowledge import Names
from streams.policy.verdict_cache import Asked


@dataclass(frozen=True, slots=True)
class Kind:
    """One raw topic and what becomes of its rows."""

    raw: Topic
    result: Topic
    losses: Mapping[str, str]
    """Words by cause, of what a batch's ``lost`` says about this kind."""
    prepare: Callable[[pl.DataFrame], pl.DataFrame]
    """Rows of a part with ``protocol`` as IANA number and ``application``."""
    asked: Callable[[Row], Asked | None]
    """What the policies are asked about a row; None where nothing can be."""
    is_served: Callable[[Row], bool]
    """Whether an answer says that nothing on the way refused a row's exchanges."""
    told: Callable[[Row, Judgement], Told]
    """What a row says besides its ends and figures."""
    nothing: Row
    """What stands in a record of what was not shown."""

    def records(self, rows: pl.DataFrame, names: Names, origin: Origin) -> Iterator[Keyed]:
        """Kafka key (client workload) and record of each row that counts, named; ``row`` is its place in the part."""
        judge = Judge(names, self.asked, self.is_served)
        for row in rows.iter_rows(named=True):
            judged = judge.judge(row)
            record = exchange_record(row, names.directory, origin, self.told(row, judged))
            yield key_of(row, names.directory), {**record, **judgement_record(judged)}

    def cut(self, origin: Origin, cut: Cut) -> Keyed:
        """Of what was not shown: nobody's exchange, so it has no ends. Key: the node."""
        return origin.batch.node, {**cut_record(origin, cut), **judgement_record(NOT_JUDGED), **self.nothing}
