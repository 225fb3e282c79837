"""Appends to the file that all clients of a lab write."""

from collections.abc import Iterable

from conntrail.lab.program.task import Order
from conntrail.lab.program.truth.fact import Fact, line


def write_facts(order: Order, facts: Iterable[Fact]) -> None:
    """Each line whole, whoever writes at the same time."""
    with open(order.truth, "ab", buffering=0) as truth:  # noqa: PTH123 - unbuffered, so that lines stay whole
        truth.writelines(line(order, fact) for fact in facts)
