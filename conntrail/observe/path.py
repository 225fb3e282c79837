"""``--http-path``: regular expressions of paths that mean the same here and in Elasticsearch, and end in linear time.

What both engines read alike is taken: letters, ``.``, classes, groups, alternatives and greedy quantifiers. Paths are
matched by Rust's engine (through polars), which never goes back. Sources: Elasticsearch reference, "Regular expression
syntax"; docs.rs/regex.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from conntrail.observe.condition import Document, FilterError, values_at

_FIELD: Final = "url.path"
_MOST: Final = 64
"""Letters; Elasticsearch takes 1,000, and a class of one letter becomes 12."""
_ESCAPED: Final = r"\\[^A-Za-z0-9\s]"
_ONE: Final = rf"(?:{_ESCAPED}|[^\]\\\[&~^-])"
_TOKEN: Final = re.compile(
    rf"(?P<set>\\[dw])|(?P<escaped>{_ESCAPED})|(?P<class>\[\^?(?:\\[dw]|{_ONE}(?:-{_ONE})?)+\])"
    r"|(?P<times>[*+?]|\{\d{1,3}(?:,\d{1,3})?\})|(?P<open>\((?:\?:)?)|(?P<close>\))|(?P<or>\|)|(?P<any>\.)"
    r"|(?P<letter>[^\\\[^$])",
    re.DOTALL,
)
_SETS: Final = {r"\d": "0-9", r"\w": "A-Za-z0-9_"}
_SPECIAL: Final = re.compile(r'([.+*?()|\[\]{}^$"\\])')
_ATOMS: Final = ("set", "escaped", "class", "any", "letter", "close")
_ENDS: Final = (*_ATOMS, "times")
"""What may stand before the end of an alternative."""


@dataclass(frozen=True, slots=True)
class PathLike:
    """The path has a part that a regular expression describes; ``^`` and ``$`` hold it to begin and end."""

    patterns: tuple[str, ...]
    """As both engines read them, of whole paths."""

    def matches(self, document: Document) -> bool:
        """Whether a document meets the condition."""
        paths = [str(value) for value in values_at(document, _FIELD)]
        return any(_is_like(pattern, path) for pattern in self.patterns for path in paths)

    def query(self) -> dict[str, Any]:
        """The same in Elasticsearch's query language."""
        clauses = [{"regexp": {_FIELD: {"value": pattern, "flags": "NONE"}}} for pattern in self.patterns]
        return {"bool": {"should": clauses, "minimum_should_match": 1}}


def parse_path(text: str) -> str:
    """A regular expression as both engines read it, of whole paths. Raises FilterError."""
    if not text or len(text) > _MOST:
        raise FilterError(f"--http-path takes a regular expression of up to {_MOST} letters")
    is_begin, is_end = text.startswith("^"), text.endswith("$") and not text.endswith(r"\$")
    inner = _translated(text[is_begin : len(text) - is_end], text, is_held=is_begin or is_end)
    pattern = f"{'' if is_begin else '.*'}({inner}){'' if is_end else '.*'}"
    try:
        _is_like(pattern, "/")
    except ValueError as error:
        raise _unreadable(text) from error
    return pattern


def _translated(inner: str, text: str, *, is_held: bool) -> str:
    """``is_held``: to the beginning or the end, which of several alternatives is said by a group around them."""
    at, depth, before, words = 0, 0, "or", []
    while found := _TOKEN.match(inner, at):
        kind = found.lastgroup or ""
        depth += (kind == "open") - (kind == "close")
        if depth < 0 or (kind == "or" and is_held and not depth) or not _may_follow(before, kind):
            break
        words.append(_word(kind, found[0]))
        at, before = found.end(), kind
    if at < len(inner) or depth or before not in _ENDS:
        raise _unreadable(text)
    return "".join(words)


def _may_follow(before: str, kind: str) -> bool:
    if kind == "times":
        return before in _ATOMS
    return before in _ENDS if kind in ("close", "or") else True


def _word(kind: str, token: str) -> str:
    if kind == "set":
        return f"[{_SETS[token]}]"
    if kind == "class":
        return re.sub(r"\\[dw]", lambda found: _SETS[found[0]], token)
    if kind in ("escaped", "letter"):
        return _SPECIAL.sub(r"\\\1", token.removeprefix("\\"))
    return "(" if kind == "open" else token


def _unreadable(text: str) -> FilterError:
    return FilterError(
        f"--http-path {text!r}: expected a regular expression of letters, ., [a-z], \\d, \\w, (a|b), *, +, ? and "
        "{2,3}, as ^/orders/[^/]+$; alternatives behind ^ or before $ stand in a group, others behind a backslash"
    )


@lru_cache(maxsize=4096)
def _is_like(pattern: str, path: str) -> bool:
    """Raise ValueError for what is none. Paths are templates, and few."""
    import polars as pl  # noqa: PLC0415 - keeps --help fast

    try:
        return bool(pl.Series([path]).str.contains(f"(?s)^(?:{pattern})$")[0])
    except pl.exceptions.ComputeError as error:
        raise ValueError(str(error)) from error


def paths(texts: Iterable[str]) -> tuple[str, ...]:
    """Of each text its pattern. Raises FilterError."""
    return tuple(map(parse_path, texts))
