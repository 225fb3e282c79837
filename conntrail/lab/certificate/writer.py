"""Makes the key that the lab's TLS servers have for as long as the lab is there."""

import subprocess
from pathlib import Path
from typing import Final

from conntrail.errors import CommandError

_OPENSSL: Final = [
    *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"),
    *("-days", "2", "-subj", "/CN=lab", "-batch"),
]


def make_key(path: Path) -> None:
    """A new key and a certificate that it signed itself, in one file. Raises CommandError."""
    try:
        done = subprocess.run(
            [*_OPENSSL, "-keyout", str(path), "-out", "-"], check=True, capture_output=True, text=True, timeout=30
        )
    except FileNotFoundError as error:
        raise CommandError("openssl is missing: install it, since the lab has TLS servers") from error
    except subprocess.SubprocessError as error:
        raise CommandError(f"openssl cannot make a key in {path.parent}: {error}") from error
    with path.open("a", encoding="ascii") as key:
        key.write(done.stdout)
