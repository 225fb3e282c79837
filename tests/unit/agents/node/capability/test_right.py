import pytest

from agents.node.capability.record import NAMES
from agents.node.capability.right import RIGHTS, hindrance, lacking, parse_effective

_ALL = sum(1 << right.number for right in RIGHTS)


def test_every_right_says_what_it_is_for_and_what_of_the_record_is_lost_without_it() -> None:
    for right in RIGHTS:
        assert right.reason
        assert right.lost
        assert set(right.lost) <= set(NAMES)


def test_what_is_lacking_is_told_for_all_and_for_what_needs_it() -> None:
    assert lacking(_ALL) == []
    without = _ALL & ~(1 << 19)
    assert [right.name for right in lacking(without)] == ["SYS_PTRACE"]
    assert [right.name for right in lacking(without, "processes")] == ["SYS_PTRACE"]
    assert lacking(without, "attempts") == []


def test_a_capability_that_holds_another_does_as_well() -> None:
    assert [right.name for right in lacking(0, "processes")] == ["SYS_PTRACE", "DAC_READ_SEARCH"]
    assert [right.name for right in lacking(1 << 1, "processes")] == ["SYS_PTRACE"]


def test_what_hinders_is_told_by_the_names_of_the_manual() -> None:
    assert hindrance(lacking(0, "processes")) == "without CAP_SYS_PTRACE and CAP_DAC_READ_SEARCH"
    assert hindrance([]) == ""


def test_effective_capabilities_are_read_from_procfs() -> None:
    assert parse_effective("Name:\tpython\nCapEff:\t0000000000081000\n") == 1 << 12 | 1 << 19
    with pytest.raises(ValueError, match="CapEff"):
        parse_effective("Name:\tpython\n")
