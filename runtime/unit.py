"""Values of settings that have a unit or a form of their own: durations, sizes, ports."""

import re

_SECONDS_PER_UNIT = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_BYTES_PER_UNIT = {"": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30}


class Seconds(float):
    """A duration in seconds, written ``10``, ``10s``, ``500ms``, ``2m``, ``1h`` or ``7d``."""

    __slots__ = ()

    @classmethod
    def parse(cls, text: str) -> "Seconds":
        """Raise ValueError when the text is no duration."""
        match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)?\s*", text)
        if match is None:
            raise ValueError(f"expected a duration such as 10s, 500ms or 2m, got {text!r}")
        return cls(float(match[1]) * _SECONDS_PER_UNIT[match[2] or "s"])

    @classmethod
    def parse_with_unit(cls, text: str) -> "Seconds":
        """As ``parse``, where a number alone is no duration: 20260131 is meant as a day."""
        if text.strip()[-1:].isdigit():
            raise ValueError(f"expected a duration with its unit such as 10s or 2m, got {text!r}")
        return cls.parse(text)


class Bytes(int):
    """A size in bytes, written ``65536``, ``64KiB``, ``16MiB`` or ``1GiB``."""

    __slots__ = ()

    @classmethod
    def parse(cls, text: str) -> "Bytes":
        """Raise ValueError when the text is no size."""
        match = re.fullmatch(r"\s*(\d+)\s*(KiB|MiB|GiB)?\s*", text)
        if match is None:
            raise ValueError(f"expected a size such as 65536 or 16MiB, got {text!r}")
        return cls(int(match[1]) * _BYTES_PER_UNIT[match[2] or ""])


def require_within(name: str, value: float, least: float, most: float) -> None:
    """Raise ValueError, naming the setting, for a duration that is not between the two, in seconds."""
    if not least <= value <= most:
        raise ValueError(f"`{name}` must be from {least:g} s to {most:g} s, got {value:g} s")


def parse_ports(name: str, text: str) -> tuple[int, ...]:
    """Distinct ports of a list separated by commas. Raises ValueError, naming the setting, when one is none."""
    words = [word.strip() for word in text.split(",") if word.strip()]
    if not all(word.isascii() and word.isdigit() and len(word) <= 5 and 0 < int(word) < 1 << 16 for word in words):  # noqa: PLR2004 - digits of the greatest port
        raise ValueError(f"`{name}` must be ports separated by commas, got {text!r}")
    return tuple(sorted({int(word) for word in words}))
