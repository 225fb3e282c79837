from agents.node.payload.ruleset import Groups, Selection, render_ruleset


def test_each_kind_of_traffic_has_one_limit_whatever_it_shows() -> None:
    rules = render_ruleset(Groups(48, None), Selection(7, (53,)), Selection(9, ()))
    assert [line for line in rules.splitlines() if "limit" in line] == [
        "limit rate over 7/second burst 7 packets counter name dns_cut return",
        "limit rate over 9/second burst 9 packets counter name application_cut return",
    ]
