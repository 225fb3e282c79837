"""A kind of exchanges: what makes DNS and applications different to the stage that reads both."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import polars as pl

from schemas.topic import Topic
from streams.exchange.cut import Cut
from streams.exchange.record import Keyed, Origin
from streams.policy.knowledge import Names


@dataclass(frozen=True, slots=True)
class Kind:
    """One raw topic and what becomes of its rows."""

    raw: Topic
    result: Topic
    losses: Mapping[str, str]
    """Words by cause, of what a batch's ``lost`` says about this kind."""
    prepare: Callable[[pl.DataFrame], pl.DataFrame]
    """Rows of a part with ``protocol`` as IANA number."""
    records: Callable[[pl.DataFrame, Names, Origin], Iterable[Keyed]]
    """Of the rows that count, named."""
    cut: Callable[[Origin, Cut], Keyed]
    """Of what was not shown."""
