"""Which log groups a trial uses, so that a running agent keeps its own."""

import re
from collections.abc import Set as AbstractSet
from typing import Final

from runtime.settings import AgentSettings

_GROUPS: Final = 65_536
_SETTINGS: Final = ("nflog_group", "payload_group", "prompt_group")
_LOGGED: Final = re.compile(r"\bgroup (\d{1,5})\b")
_QUOTED: Final = re.compile(r'"[^"]*"')


def parse_held(table: str) -> frozenset[int]:
    """Groups that somebody listens to, by /proc/net/netfilter/nfnetlink_log (nfnetlink_log.c, seq_show)."""
    firsts = (line.split(maxsplit=1)[0] for line in table.splitlines() if line.strip())
    return frozenset(int(first) for first in firsts if first.isdecimal())


def parse_logged(rules: str) -> frozenset[int]:
    """Groups that these rules log to, as nft prints them."""
    return frozenset(int(number) for number in _LOGGED.findall(_QUOTED.sub("", rules)))


def choose_groups(settings: AgentSettings, held: AbstractSet[int], own: AbstractSet[int]) -> dict[str, int]:
    """The groups of settings; in place of one that is held and that our own rules log to, a free one."""
    wanted = {name: getattr(settings, name) for name in _SETTINGS}
    taken = {*held, *wanted.values()}
    free = (number for number in range(_GROUPS - 1, -1, -1) if number not in taken)
    return {name: next(free) if number in held & own else number for name, number in wanted.items()}
