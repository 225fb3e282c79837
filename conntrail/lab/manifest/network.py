"""Networks as policies write them."""

import ipaddress

from conntrail.errors import CommandError


def check_network(field: str, text: str, *, may_be_address: bool = False) -> None:
    """Raises CommandError. ``may_be_address``: without a length it is one address."""
    if "%" in text:
        raise CommandError(f"{field}: a network has no zone")
    if "/" not in text and not may_be_address:
        raise CommandError(f"{field}: {text!r:.60} has no prefix length")
    try:
        ipaddress.ip_network(text, strict=False)
    except ValueError as error:
        raise CommandError(f"{field}: {error}") from None
