"""How many different things were met lately, in bounded space."""

from hashlib import blake2b


def digest(text: str) -> int:
    """48 bits that stand for a text: names of strangers are long, and nobody reads them here."""
    return int.from_bytes(blake2b(text.encode("utf-8", "replace"), digest_size=6).digest(), "big")


def note_distinct(met: dict[int, int], what: int, at_ns: int, kept_ns: int, maximum: int) -> int:
    """Remember that a thing was met; how many had to go for it that were met within ``kept_ns``."""
    met.pop(what, None)
    met[what] = at_ns
    evicted = 0
    while met and (len(met) > maximum or next(iter(met.values())) <= at_ns - kept_ns):
        oldest = next(iter(met))
        evicted += met.pop(oldest) > at_ns - kept_ns
    return evicted


def distinct_after(met: dict[int, int], after_ns: int) -> int:
    """How many were met after an instant."""
    return sum(at_ns > after_ns for at_ns in met.values())
