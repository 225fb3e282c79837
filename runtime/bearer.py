"""Bearer tokens of our HTTP servers (RFC 6750, section 2.1). Pure."""

import hmac


def is_shown(token: str, authorization: str) -> bool:
    """Whether the header ``Authorization`` shows the token; takes as long whatever it shows instead."""
    scheme, _, shown = authorization.partition(" ")
    is_right = hmac.compare_digest(shown.strip().encode("utf-8", "replace"), token.encode("utf-8", "replace"))
    return scheme.lower() == "bearer" and is_right
