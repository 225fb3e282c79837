"""ClientHellos: facts and fingerprints of known ones, of real ones, of cut ones and of hostile ones."""

import ssl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.node.application.hello import ClientHello, parse_hello
from agents.node.application.ja4 import fingerprint

CIPHERS = "1301,1302,1303,c02b,c02f,c02c,c030,cca9,cca8,c013,c014,009c,009d,002f,0035"
EXTENSIONS = "001b,0000,0033,0010,4469,0017,002d,000d,0005,0023,0012,002b,ff01,000b,000a,0015"
ALGORITHMS = "0403,0804,0401,0503,0805,0501,0806,0601"
"""The example of the specification."""


def numbers(text: str) -> list[int]:
    return [int(one, 16) for one in text.split(",")]


def vector(data: bytes, length_bytes: int) -> bytes:
    return len(data).to_bytes(length_bytes, "big") + data


def words(values: list[int]) -> bytes:
    return b"".join(value.to_bytes(2, "big") for value in values)


def extension(kind: int, body: bytes) -> bytes:
    return kind.to_bytes(2, "big") + vector(body, 2)


def record(
    ciphers: str = CIPHERS,
    extensions: str = EXTENSIONS,
    algorithms: str = ALGORITHMS,
    alpn: tuple[bytes, ...] = (b"h2",),
) -> bytes:
    """A ClientHello as a browser sends it, with GREASE everywhere where it may stand."""
    bodies = {
        0x0000: vector(b"\x00" + vector(b"shop.example", 2), 2),
        0x0010: vector(b"".join(vector(name, 1) for name in alpn), 2),
        0x000D: vector(words([0x0A0A, *numbers(algorithms)]), 2) if algorithms else vector(b"", 2),
        0x002B: vector(words([0x1A1A, 0x0304, 0x0303]), 1),
    }
    listed = b"".join(extension(kind, bodies.get(kind, b"")) for kind in numbers(extensions)) if extensions else b""
    body = (
        b"\x03\x03"
        + bytes(32)
        + vector(bytes(32), 1)
        + vector(words([0x2A2A, *(numbers(ciphers) if ciphers else [])]), 2)
        + vector(b"\x00", 1)
        + vector(extension(0x3A3A, b"") + listed + extension(0xCACA, b"\x00"), 2)
    )
    return b"\x16\x03\x01" + vector(b"\x01" + vector(body, 3), 2)


def hello_of(payload: bytes) -> ClientHello:
    hello = parse_hello(payload)
    assert hello is not None
    return hello


def real(server_name: str, protocols: list[str], latest: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3) -> bytes:
    """What OpenSSL sends."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.maximum_version = latest
    if protocols:
        context.set_alpn_protocols(protocols)
    sent = ssl.MemoryBIO()
    client = context.wrap_bio(ssl.MemoryBIO(), sent, server_hostname=server_name)
    with pytest.raises(ssl.SSLWantReadError):
        client.do_handshake()
    return sent.read()


def test_the_example_of_the_specification_has_its_fingerprint() -> None:
    assert fingerprint(hello_of(record())) == "t13d1516h2_8daaf6152771_e5627efa2ab1"


def test_without_signature_algorithms_the_extensions_are_hashed_alone() -> None:
    assert fingerprint(hello_of(record(algorithms=""))).endswith("_6d807ffa2a79")


def test_without_extensions_and_ciphers_there_are_zeros() -> None:
    bare = hello_of(record(ciphers="", extensions=""))
    assert fingerprint(bare) == "t12i000000_000000000000_000000000000"


@pytest.mark.parametrize(
    ("protocol", "ends"),
    [
        (b"h2", "h2"),
        (b"http/1.1", "h1"),
        (b"x", "xx"),
        (b"\xab", "ab"),
        (b"\xab\xcd", "ad"),
        (b"\x30\xab", "3b"),
        (b"\x30\x31\xab\xcd", "3d"),
        (b"\x30\xab\xcd\x31", "01"),
    ],
)
def test_the_first_protocol_lends_its_ends(protocol: bytes, ends: str) -> None:
    assert fingerprint(hello_of(record(alpn=(protocol,))))[8:10] == ends


def test_the_facts_are_told() -> None:
    hello = hello_of(record(alpn=(b"\x0a\x0a", b"h2", b"http/1.1")))
    assert (hello.server_name, hello.protocol_names) == ("shop.example", ("h2", "http/1.1"))
    assert (hello.version, hello.versions) == (0x0304, (0x0304, 0x0303))
    assert hello.is_complete


@pytest.mark.parametrize("length", range(len(record())))
def test_a_cut_anywhere_leaves_what_came_before_it(length: int) -> None:
    hello = parse_hello(record()[:length])
    if hello is None:
        assert length < 5 + 4 + 2
        return
    assert hello.server_name in {"", "shop.example"}
    assert not hello.is_complete
    assert not fingerprint(hello)


def test_a_cut_behind_the_server_name_leaves_it() -> None:
    whole = record()
    end = whole.index(b"shop.example") + len(b"shop.example")
    assert hello_of(whole[:end]).server_name == "shop.example"


def test_a_hello_over_several_records_is_joined() -> None:
    whole = record()[5:]
    parts = b"".join(b"\x16\x03\x01" + vector(whole[at : at + 50], 2) for at in range(0, len(whole), 50))
    assert hello_of(parts) == hello_of(record())


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"\x16\x03\x01",
        b"\x17\x03\x03\x00\x05hello",
        b"\x16\x03\x03\x00\x04\x02\x00\x00\x00",
        b"\x16\x03\x01\x00\x06\x01\x00\x00\x02\x03\x03",
    ],
)
def test_what_is_no_hello_is_none(payload: bytes) -> None:
    assert parse_hello(payload) is None


@given(st.integers(0, 400), st.integers(0, 255))
def test_a_hello_with_a_changed_byte_does_no_harm(at: int, value: int) -> None:
    changed = bytearray(record())
    changed[at % len(changed)] = value
    hello = parse_hello(bytes(changed))
    assert hello is None or len(fingerprint(hello)) in {0, 36}


@given(st.binary())
def test_hostile_bytes_do_no_harm(rest: bytes) -> None:
    parse_hello(b"\x16\x03\x01" + vector(b"\x01" + vector(rest, 3), 2))
    parse_hello(b"\x16\x03\x01\x40\x00\x01\x00\x3f\xfc\x03\x03" + rest)


def test_openssl_is_read() -> None:
    hello = hello_of(real("shop.example", ["h2", "http/1.1"]))
    assert (hello.server_name, hello.protocol_names, hello.version) == ("shop.example", ("h2", "http/1.1"), 0x0304)
    assert fingerprint(hello).startswith(f"t13d{len(hello.ciphers):02}{len(hello.extensions):02}h2_")
    other = hello_of(real("other.example", ["h2", "http/1.1"]))
    assert fingerprint(other) == fingerprint(hello), "one program, one fingerprint"


def test_openssl_without_names_is_read() -> None:
    hello = hello_of(real("10.0.0.1", [], ssl.TLSVersion.TLSv1_2))
    assert (hello.server_name, hello.protocols, hello.version) == ("", (), 0x0303)
    assert fingerprint(hello).startswith("t12i")
