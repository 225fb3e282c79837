"""Rows for tests of this folder, written with addresses as people write them."""

import ipaddress
from typing import Any

import numpy as np

from agents.node.report.columns import REPORT, SOCKET, Reports, Sockets


def words(address: str) -> tuple[int, int]:
    parsed = ipaddress.ip_address(address)
    number = int(parsed) | (0xFFFF << 32) if parsed.version == 4 else int(parsed)
    return number >> 64, number & (2**64 - 1)


def report(
    source: tuple[str, int],
    dialled: tuple[str, int],
    answering: tuple[str, int] | None = None,
    answered: tuple[str, int] | None = None,
    protocol: int = 6,
    **fields: Any,
) -> Reports:
    row = np.zeros(1, REPORT)
    ends = {
        "original_source": source,
        "original_destination": dialled,
        "reply_source": answering or dialled,
        "reply_destination": answered or source,
    }
    for name, (address, port) in ends.items():
        row[f"{name}_high"], row[f"{name}_low"] = words(address)
        row[f"{name}_port"] = port
    row["family"] = 10 if ":" in source[0] else 2
    row["protocol"] = protocol
    for name, value in fields.items():
        row[name] = value
    return row


def socket(local: tuple[str, int], remote: tuple[str, int], protocol: int = 6, **fields: Any) -> Sockets:
    row = np.zeros(1, SOCKET)
    row["local_high"], row["local_low"] = words(local[0])
    row["remote_high"], row["remote_low"] = words(remote[0])
    row["local_port"], row["remote_port"] = local[1], remote[1]
    row["family"] = 10 if ":" in local[0] else 2
    row["protocol"] = protocol
    for name, value in fields.items():
        row[name] = value
    return row
