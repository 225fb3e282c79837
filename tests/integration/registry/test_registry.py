"""The schema registry over real HTTP: registered once, asked seldom, waited for, and never trusted with a record."""

import ssl
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from runtime.settings import SchemaRegistrySettings, SettingsError
from schemas.errors import DecodeError, RegistryAwayError, RegistryError
from schemas.registry.reader import RegistryReader
from schemas.registry.writer import RegistryWriter
from schemas.schema import schema_text
from schemas.single_object import codec_of
from schemas.topic import DEAD_LETTER, FLOWS
from tests.support.registry import Registry, running_registry
from tests.unit.streams.index.builders import dead_letter

_SUBJECT = "p.deadletter-value"


@pytest.fixture
def registry() -> Iterator[Registry]:
    with running_registry() as running:
        yield running


def _reader(registry: Registry, **settings: str) -> RegistryReader:
    return RegistryReader(SchemaRegistrySettings(url=registry.url, **settings))


def test_a_schema_is_registered_once_under_its_topics_subject(registry: Registry) -> None:
    for _ in range(2):
        writer = RegistryWriter(_reader(registry))
        for _ in range(2):
            writer.codec(DEAD_LETTER, "p.")
    assert registry.subjects == {_SUBJECT: [1]}
    assert registry.requests == [
        f"POST /subjects/{_SUBJECT}", f"POST /subjects/{_SUBJECT}/versions", f"POST /subjects/{_SUBJECT}",
    ]  # fmt: skip


def test_the_right_to_read_suffices_once_somebody_has_registered(registry: Registry) -> None:
    registry.is_read_only = True
    with pytest.raises(RegistryError, match=r"read-only mode\): check CONNTRAIL_SCHEMA_REGISTRY__USERNAME"):
        RegistryWriter(_reader(registry)).codec(DEAD_LETTER, "p.")
    registry.is_read_only = False
    number = registry.register(_SUBJECT, schema_text(DEAD_LETTER.schema))
    registry.is_read_only = True
    data = RegistryWriter(_reader(registry)).codec(DEAD_LETTER, "p.").encode(dead_letter())
    assert data[:5] == b"\x00" + number.to_bytes(4, "big")


def test_without_a_url_records_carry_the_fingerprint_and_frames_say_which_setting_is_missing(
    registry: Registry,
) -> None:
    framed = RegistryWriter(_reader(registry)).codec(DEAD_LETTER, "p.").encode(dead_letter())
    nobody = RegistryReader(SchemaRegistrySettings())
    assert RegistryWriter(nobody).codec(DEAD_LETTER, "p.").encode(dead_letter())[:2] == b"\xc3\x01"
    with pytest.raises(DecodeError, match="CONNTRAIL_SCHEMA_REGISTRY__URL is not set"):
        nobody.decode(codec_of(DEAD_LETTER.schema), framed)


def test_a_reader_asks_once_for_each_id(registry: Registry) -> None:
    framed = RegistryWriter(_reader(registry)).codec(DEAD_LETTER, "p.").encode(dead_letter())
    registry.requests.clear()
    reader, codec = _reader(registry), codec_of(DEAD_LETTER.schema)
    for _ in range(3):
        assert reader.decode(codec, framed) == dead_letter()
    assert registry.requests == ["GET /schemas/ids/1"]


def test_an_id_that_nobody_registered_is_asked_for_once_and_is_the_records_fault(registry: Registry) -> None:
    reader, codec = _reader(registry), codec_of(DEAD_LETTER.schema)
    for _ in range(3):
        with pytest.raises(DecodeError, match="no schema of id 77"):
            reader.decode(codec, b"\x00\x00\x00\x00\x4d" + b"x" * 20)
    assert registry.requests == ["GET /schemas/ids/77"]


def test_another_topics_record_is_refused_by_the_name_of_its_schema(registry: Registry) -> None:
    number = registry.register("p.flows-value", schema_text(FLOWS.schema))
    with pytest.raises(DecodeError, match=r"Flow, not .*DeadLetter"):
        _reader(registry).decode(codec_of(DEAD_LETTER.schema), b"\x00" + number.to_bytes(4, "big") + b"x" * 20)


def test_an_incompatible_subject_is_one_line(registry: Registry) -> None:
    # As if the topic's name had been used for other records before.
    registry.register(_SUBJECT, schema_text(FLOWS.schema))
    with pytest.raises(RegistryError, match=rf"refuses {_SUBJECT} \(409: .*compatibility level"):
        RegistryWriter(_reader(registry)).codec(DEAD_LETTER, "p.")


def test_credentials_are_sent_and_wrong_ones_are_one_line() -> None:
    with running_registry("worker:secret") as registry:
        codec = RegistryWriter(_reader(registry, username="worker", password="secret")).codec(DEAD_LETTER, "p.")
        assert codec.encode(dead_letter())[:1] == b"\x00"
        for settings in ({"username": "worker", "password": "wrong"}, {}):
            with pytest.raises(RegistryError, match="CONNTRAIL_SCHEMA_REGISTRY__USERNAME") as caught:
                RegistryWriter(_reader(registry, **settings)).codec(DEAD_LETTER, "p.")
            assert not isinstance(caught.value, RegistryAwayError)
            assert "wrong" not in str(caught.value)


def test_an_outage_is_waited_for(registry: Registry) -> None:
    framed = RegistryWriter(_reader(registry)).codec(DEAD_LETTER, "p.").encode(dead_letter())
    reader, codec = _reader(registry), codec_of(DEAD_LETTER.schema)
    registry.stop()
    with pytest.raises(RegistryAwayError, match=r"does not answer \(127\.0\.0\.1:\d+: Connection refused\)"):
        reader.decode(codec, framed)
    back = threading.Timer(0.5, registry.start)
    back.start()
    assert reader.decode(codec, framed, patience_seconds=30) == dead_letter()
    back.join()


def test_a_passing_refusal_is_an_outage_and_no_fault_of_the_record(registry: Registry) -> None:
    registry.refuse_with = 503
    with pytest.raises(RegistryAwayError, match="status 503"):
        _reader(registry).schema(1)
    with running_registry() as other:
        other.register(_SUBJECT, schema_text(DEAD_LETTER.schema))
        both = RegistryReader(SchemaRegistrySettings(url=f"{registry.url},{other.url}"))
        assert both.schema(1)["name"].endswith("DeadLetter")


def test_what_is_no_registry_is_one_line(registry: Registry) -> None:
    elsewhere = RegistryReader(SchemaRegistrySettings(url=f"{registry.url}/elsewhere"))
    with pytest.raises(RegistryError, match="CONNTRAIL_SCHEMA_REGISTRY__URL"):
        RegistryWriter(elsewhere).codec(DEAD_LETTER, "p.")


def test_over_tls_the_certificate_must_be_known(tmp_path: Path) -> None:
    certificate, key = tmp_path / "certificate.pem", tmp_path / "key.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
         "-subj", "/CN=registry", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", certificate],
        check=True, capture_output=True,
    )  # fmt: skip
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    with running_registry(context=context) as registry:
        known = _reader(registry, ca_certs=str(certificate))
        assert RegistryWriter(known).codec(DEAD_LETTER, "p.").encode(dead_letter())[:1] == b"\x00"
        with pytest.raises(RegistryError, match=r"not trusted .*CONNTRAIL_SCHEMA_REGISTRY__CA_CERTS"):
            _reader(registry).schema(1)
        with pytest.raises(SettingsError, match="CONNTRAIL_SCHEMA_REGISTRY__CA_CERTS=/nowhere"):
            _reader(registry, ca_certs="/nowhere").schema(1)
