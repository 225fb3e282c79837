"""An authority of a test's own and a certificate for 127.0.0.1, made by openssl."""

import subprocess
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Certificates:
    """PEM files."""

    authority: Path
    certificate: Path
    key: Path
    both: Path
    """Key and certificate in one file, as Kafka takes them."""


def make_certificates(directory: Path) -> Certificates:
    """A new authority each time: what one signs another does not know."""
    directory.mkdir(parents=True, exist_ok=True)
    made = Certificates(*(directory / name for name in ("ca.pem", "certificate.pem", "key.pem", "both.pem")))
    names, request, authority_key = (directory / name for name in ("names", "request.pem", "ca-key.pem"))
    names.write_text("subjectAltName=IP:127.0.0.1\n")
    curve = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
    _openssl("req", "-x509", *curve, "-days", "2", "-subj", "/CN=authority", "-keyout", authority_key, "-out",
             made.authority)  # fmt: skip
    _openssl("req", *curve, "-subj", "/CN=127.0.0.1", "-keyout", made.key, "-out", request)
    _openssl("x509", "-req", "-in", request, "-CA", made.authority, "-CAkey", authority_key, "-CAcreateserial",
             "-days", "2", "-extfile", names, "-out", made.certificate)  # fmt: skip
    made.both.write_text(made.key.read_text() + made.certificate.read_text())
    return made


def _openssl(*arguments: str | Path) -> None:
    subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True)
