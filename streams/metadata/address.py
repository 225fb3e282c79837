"""Addresses as text in one form, so that equal addresses are equal strings."""

import ipaddress


def canonical(text: str) -> str | None:
    """RFC 5952 text, as agents report it; None for what is no address.

    Users may write a Service's address in other forms, and Kubernetes gives it back as it was written.
    """
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        return None
