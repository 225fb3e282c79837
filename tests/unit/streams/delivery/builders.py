"""Receivers of unit tests."""

from typing import Any

from streams.delivery.receiver import Receiver, build_receiver, parse_entries


def receiver(kind: str = "json", url: str = "http://hook.example/in", secret: str = "s3", **facts: Any) -> Receiver:
    entry = parse_entries({"receivers": {"own": {"kind": kind, **facts}}})["own"]
    return build_receiver("own", entry, url, secret)
