"""Folds the identifiers in a path, so that the requests of one route have one path: its template.

A guess by shape: numbers, UUIDs, ULIDs, hex and tokens become {id}, dates {date}, e-mail addresses {email}.
"""

import re
from functools import lru_cache
from typing import Final

LONGEST: Final = 256
"""Characters of a template."""
REST: Final = "{*}"
"""Stands for all deeper segments."""
_ID: Final = "{id}"
_SEGMENTS: Final = 12
"""Deeper ones are seldom a route."""
_SEGMENT_LENGTH: Final = 64
"""No word of a route is longer."""
_REMEMBERED: Final = 1024
_SHAPES: Final = re.compile(
    r"""
    (?P<date> \d{4}-(?:0\d|1[0-2])-[0-3]\d (?:[T_ ].{0,32})? )
  | (?P<email> [^@%\s]{1,64} (?:@|%40) [\w-]{1,63} (?:\.[\w-]{1,63}){1,8} )
  | (?P<id>
        [+-]?\d+
      | \{?[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\}?
      | (?:0x)?(?=[a-f]*\d)[0-9a-f]{8,}
      | [0-7][0-9a-hjkmnp-tv-z]{25}
      | [a-z]{1,16}[-_:]\d{4,}
    )
    """,
    re.VERBOSE | re.IGNORECASE | re.ASCII,
)
_TOKEN: Final = re.compile(r"[A-Za-z0-9_.~%+=-]{16,}", re.ASCII)
_TURNS: Final = re.compile(r"(?<=[A-Za-z])(?=\d)|(?<=\d)(?=[A-Za-z])", re.ASCII)
_LEAST_TURNS: Final = 3
"""Changes between letters and digits: words with a year have one or two, 16 random characters five or more."""
_EXTENSION: Final = re.compile(r"\.[A-Za-z][A-Za-z0-9]{1,4}$", re.ASCII)


def template_of(path: str, is_cut: bool = False) -> str:
    """Template of a path without its query. Of a path that was cut, the last segment is not told."""
    if not path.startswith("/"):
        return path[:LONGEST]
    segments = path[1:].split("/", _SEGMENTS)
    rest = segments.pop() if is_cut or len(segments) > _SEGMENTS else None
    folded = [_ID if segment.isdecimal() else _fold(segment) for segment in segments]
    if rest is not None:
        folded.append(REST)
    return _joined(folded)


def shallow(template: str, depth: int) -> str:
    """Its first ``depth`` segments, and what stands for all deeper ones."""
    return _joined([*template.partition("?")[0].split("/", depth + 1)[1 : depth + 1], REST])


def _joined(segments: list[str]) -> str:
    template = "/" + "/".join(segments)
    while len(template) > LONGEST:
        segments = [*segments[:-2], REST]
        template = "/" + "/".join(segments)
    return template


@lru_cache(_REMEMBERED)
def _fold(segment: str) -> str:
    segment = segment.partition(";")[0]  # matrix parameters, such as jsessionid
    if len(segment) <= _SEGMENT_LENGTH and segment.isalpha():
        return segment
    folded = _shape(segment)
    if folded is not None:
        return folded
    extension = _EXTENSION.search(segment)
    if extension is not None:
        stem = _shape(segment[: extension.start()])
        if stem is not None:
            return stem + extension.group()
    return segment


def _shape(segment: str) -> str | None:
    found = _SHAPES.fullmatch(segment) if len(segment) <= 4 * _SEGMENT_LENGTH else None
    if found is not None:
        return f"{{{found.lastgroup}}}"
    if len(segment) > _SEGMENT_LENGTH:
        return _ID
    if _TOKEN.fullmatch(segment) and len(_TURNS.findall(segment)) >= _LEAST_TURNS:
        return _ID
    return None
