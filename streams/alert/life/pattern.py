"""Patterns as a shell has them: ``*`` stands for any text and ``?`` for a letter; nothing else is special."""

import re
from collections.abc import Iterable
from fnmatch import translate
from functools import lru_cache
from typing import Final

MAXIMUM_LETTERS: Final = 256


def is_like(value: str, patterns: Iterable[str]) -> bool:
    """Whether a value is like any of the patterns."""
    return any(_compiled(pattern).match(value) is not None for pattern in patterns)


@lru_cache(maxsize=4096)
def _compiled(pattern: str) -> re.Pattern[str]:
    # fnmatch's translation cannot be made to backtrack for ever, which .* for each star could.
    return re.compile(translate(pattern.replace("[", "[[]")))
