"""Reads of untrusted JSON: each either returns the type that was asked for or names the field that is wrong."""

from collections.abc import Mapping, Sequence

from streams.policy.fault import PolicyFault

_SHOWN_CHARACTERS = 60  # of a wrong value, in a message
_PROTOCOLS = ("TCP", "UDP", "SCTP")
_LAST_PORT = 65535
_LARGEST_NUMBER = 1e300


def as_mapping(raw: object, where: str) -> Mapping[str, object]:
    """Return an object, an empty one for null, as the API server reads both alike."""
    if raw is None:
        return {}
    if not isinstance(raw, Mapping) or not all(isinstance(key, str) for key in raw):
        raise PolicyFault(f"{where}: expected an object, got {show(raw)}")
    return raw


def as_list(raw: object, where: str) -> Sequence[object]:
    """Return a list, an empty one for null."""
    if raw is None:
        return ()
    if not isinstance(raw, list | tuple):
        raise PolicyFault(f"{where}: expected a list, got {show(raw)}")
    return raw


def as_text(raw: object, where: str) -> str:
    """Return a string."""
    if not isinstance(raw, str):
        raise PolicyFault(f"{where}: expected a string, got {show(raw)}")
    return raw


def as_texts(raw: object, where: str) -> tuple[str, ...]:
    """Return a list of strings."""
    return tuple(as_text(item, f"{where}[{index}]") for index, item in enumerate(as_list(raw, where)))


def refuse_unknown(fields: Mapping[str, object], known: frozenset[str], where: str) -> None:
    """Raise PolicyFault when a field is set that this evaluator does not know: it may change the meaning."""
    unknown = sorted(name for name, value in fields.items() if name not in known and value is not None)
    if unknown:
        raise PolicyFault(f"{where}: not known here: {', '.join(unknown)}")


def show(raw: object) -> str:
    """A value as a message may show it: short, on one line."""
    text = repr(raw)
    return text if len(text) <= _SHOWN_CHARACTERS else f"{text[:_SHOWN_CHARACTERS]}…"


def as_protocol(raw: object, where: str) -> str:
    """Return TCP, UDP or SCTP; omitted means TCP."""
    if raw is None:
        return "TCP"
    if raw not in _PROTOCOLS:
        raise PolicyFault(f"{where}: expected TCP, UDP or SCTP, got {show(raw)}")
    return str(raw)


def as_port(raw: object, where: str) -> int:
    """Return a port number."""
    if not isinstance(raw, int) or isinstance(raw, bool) or not 1 <= raw <= _LAST_PORT:
        raise PolicyFault(f"{where}: expected a port from 1 to {_LAST_PORT}, got {show(raw)}")
    return raw


def as_number(raw: object, where: str) -> float:
    """Return a number, and neither an infinite one nor one that is none."""
    if not isinstance(raw, int | float) or isinstance(raw, bool) or not -_LARGEST_NUMBER <= raw <= _LARGEST_NUMBER:
        raise PolicyFault(f"{where}: expected a number, got {show(raw)}")
    return float(raw)
