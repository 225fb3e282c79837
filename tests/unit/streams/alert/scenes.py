"""Clients that work, and are cut off from the database."""

from typing import Any

from streams.alert.settings import AlertSettings
from streams.alert.signal.end import End
from tests.unit.streams.alert.builders import (
    DATABASE,
    FRONTEND,
    SECOND,
    SETTLED,
    World,
    denial,
)

CLIENTS = [End("shop", "Deployment", f"app{number}") for number in range(1200)]
AT = SETTLED + SECOND


def world(**settings: Any) -> World:
    return World(settings=AlertSettings(**settings))


def settled(*sources: End, **settings: Any) -> World:
    """An edge from each source to the database, which works."""
    made = world(**settings)
    for source in sources or (FRONTEND,):
        made.works(source)
    made.settle()
    return made


def cut(made: World, *sources: End, at: int = AT) -> None:
    for source in sources or (FRONTEND,):
        made.take(denial(made, source, DATABASE, at=at))
    made.advance(at + 2 * SECOND + 1)
