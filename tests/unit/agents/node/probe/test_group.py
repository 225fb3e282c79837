from agents.node.probe.group import choose_groups, parse_held, parse_logged
from runtime.settings import AgentSettings

_SETTINGS = AgentSettings(nflog_group=47, payload_group=48, prompt_group=49)


def test_held_groups_are_read_from_the_table_of_the_kernel() -> None:
    assert parse_held("   47  1234     0 2   152     10  1\n   65535 4102  0 2 65535      1  1\n") == {47, 65535}
    assert parse_held("") == frozenset()


def test_groups_of_our_rules_are_read_from_what_nft_prints() -> None:
    rules = 'limit rate 2000/second log prefix "group 3" group 48 snaplen 100 queue-threshold 100\n\tlog group 49\n'
    assert parse_logged(rules) == {48, 49}


def test_a_group_of_a_running_agent_is_left_to_it() -> None:
    chosen = choose_groups(_SETTINGS, {47, 65535, 65534}, {47, 48})
    assert chosen == {"nflog_group": 65533, "payload_group": 48, "prompt_group": 49}


def test_a_group_of_somebody_else_is_kept_so_that_its_fault_is_told() -> None:
    assert choose_groups(_SETTINGS, {48}, {47}) == {"nflog_group": 47, "payload_group": 48, "prompt_group": 49}


def test_free_groups_are_all_different() -> None:
    chosen = choose_groups(_SETTINGS, {47, 48, 49}, {47, 48, 49})
    assert len(set(chosen.values())) == 3
