"""Canonical JSON, one text a value (RFC 8785; of numbers only integers are used)."""

import json
from typing import Any


def canonical(value: Any) -> bytes:
    """UTF-8. Names of members are ASCII, so that sorting by code points is what the RFC asks for."""
    text = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)
    # Half of a surrogate pair is no character: whoever can put one into a name must not end the report.
    return text.encode("utf-8", errors="surrogatepass").decode("utf-8", errors="replace").encode()
