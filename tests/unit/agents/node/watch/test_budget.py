from hypothesis import given
from hypothesis import strategies as st

from agents.node.watch.budget import Budget


@given(st.lists(st.floats(0.0001, 2.0), min_size=1, max_size=50))
def test_never_more_than_the_share_is_spent(costs: list[float]) -> None:
    budget = Budget(share=0.1, least_seconds=0.01)
    now = spent = 0.0
    for cost in costs:
        while not budget.is_due(now):
            now += 0.01
        budget.spend(now, cost)
        spent += cost
        now += cost
    while not budget.is_due(now):
        now += 0.01
    assert spent <= now * 0.1001


def test_cheap_work_still_pauses() -> None:
    budget = Budget(share=0.5, least_seconds=1.0)
    assert budget.is_due(10.0)
    budget.spend(10.0, 0.0)
    assert not budget.is_due(10.9)
    assert budget.is_due(11.0)
