"""Names and UIDs as the API server and its controllers would give them, derived from what is named.

Pure. So two labs from the same manifests are alike.
"""

import hashlib
from typing import Any, Final

_ALPHABET: Final = "bcdfghjklmnpqrstvwxz2456789"
"""Letters of generated names: without vowels and look-alikes (apimachinery, util/rand)."""


def uid_of(kind: str, namespace: str, name: str) -> str:
    """A UID that is the same for the same name."""
    digest = hashlib.sha256(f"{kind}/{namespace}/{name}".encode()).hexdigest()
    return f"{digest[:8]}-{digest[8:12]}-4{digest[13:16]}-8{digest[17:20]}-{digest[20:32]}"


def letters(text: str, count: int) -> str:
    """Letters as generated names have them; at most 32."""
    digest = hashlib.sha256(text.encode()).digest()
    return "".join(_ALPHABET[byte % len(_ALPHABET)] for byte in digest[:count])


def metadata_of(created_at: str, kind: str, namespace: str, name: str, **more: Any) -> dict[str, Any]:
    """Metadata of an object, as the API server completes it."""
    return {
        "name": name,
        **({"namespace": namespace} if namespace else {}),
        "uid": uid_of(kind, namespace, name),
        "creationTimestamp": created_at,
        **more,
    }
