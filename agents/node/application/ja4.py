"""Computes the JA4 fingerprint of a ClientHello, by which one client program looks alike everywhere.

Source: FoxIO, "JA4: TLS Client Fingerprinting", technical_details/JA4.md of the repository FoxIO-LLC/ja4. JA4 itself is
under the BSD 3-Clause licence; the others of its family are not, and are not computed here.
"""

from collections.abc import Iterable
from hashlib import sha256
from typing import Final

from agents.node.application.hello import ClientHello

_VERSIONS: Final = {0x0304: "13", 0x0303: "12", 0x0302: "11", 0x0301: "10", 0x0300: "s3", 0x0002: "s2"}
_SERVER_NAME: Final = 0x0000
_PROTOCOLS: Final = 0x0010
_MOST: Final = 99
_HASH_LENGTH: Final = 12
_NO_VALUES: Final = "0" * _HASH_LENGTH


def fingerprint(hello: ClientHello) -> str:
    """Of a hello over TCP. Empty for one that was cut: its extensions are not all known."""
    if not hello.is_complete:
        return ""
    named = "d" if _SERVER_NAME in hello.extensions else "i"
    counts = f"{min(len(hello.ciphers), _MOST):02}{min(len(hello.extensions), _MOST):02}"
    ends = _ends(hello.protocols[0] if hello.protocols else b"")
    ciphers = ",".join(sorted(_hex(hello.ciphers)))
    extensions = ",".join(sorted(_hex(kind for kind in hello.extensions if kind not in {_SERVER_NAME, _PROTOCOLS})))
    algorithms = ",".join(_hex(hello.signature_algorithms))
    signed = f"{extensions}_{algorithms}" if algorithms else extensions
    version = _VERSIONS.get(hello.version, "00")
    return f"t{version}{named}{counts}{ends}_{_hash(ciphers)}_{_hash(signed) if extensions else _NO_VALUES}"


def _ends(protocol: bytes) -> str:
    """First and last character of the first protocol offered, of its hex form when they are no letters or digits."""
    if not protocol:
        return "00"
    ends = bytes((protocol[0], protocol[-1]))
    if ends.isalnum():
        return ends.decode("ascii")
    return protocol.hex()[0] + protocol.hex()[-1]


def _hex(numbers: Iterable[int]) -> Iterable[str]:
    return (f"{number:04x}" for number in numbers)


def _hash(text: str) -> str:
    return sha256(text.encode()).hexdigest()[:_HASH_LENGTH] if text else _NO_VALUES
