from agents.node.interval.loss import Losses


def test_an_interval_without_losses_is_complete() -> None:
    losses = Losses()
    losses.add("overruns", 0)
    assert losses.take() == ("complete", {})


def test_losses_are_stamped_once() -> None:
    losses = Losses()
    losses.add("overruns", 2)
    losses.add("overruns")
    assert losses.take() == ("lossy", {"overruns": 3})
    assert losses.take() == ("complete", {})


def test_a_lasting_cause_stays_until_it_is_gone() -> None:
    losses = Losses()
    losses.set_lasting("no_events", is_present=True)
    assert [losses.take() for _ in range(2)] == [("lossy", {"no_events": 1})] * 2
    losses.set_lasting("no_events", is_present=False)
    assert losses.take() == ("complete", {})


def test_a_blind_node_says_so() -> None:
    losses = Losses()
    losses.is_blind = True
    assert losses.take() == ("blind", {})


def test_what_anybody_may_send_is_counted_and_hides_nothing() -> None:
    losses = Losses()
    losses.add("dns_malformed", 3)
    assert losses.take() == ("complete", {"dns_malformed": 3})
    losses.add("dns_malformed")
    losses.add("dns_cut", 2)
    assert losses.take() == ("lossy", {"dns_malformed": 1, "dns_cut": 2})
