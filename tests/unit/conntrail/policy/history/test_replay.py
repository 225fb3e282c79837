"""Who a record stands for when it is asked again."""

from conntrail.policy.history.replay import questions_of
from conntrail.policy.history.seen import History, Seen, SeenEnd, SeenKey, SeenPod
from streams.policy.evaluate import evaluate
from tests.unit.conntrail.policy.cluster.builders import allow_from, node, pod, snapshot

WEB = SeenEnd("workload", "shop", "ReplicaSet", "web")
API = SeenEnd("workload", "shop", "ReplicaSet", "api")
OUTSIDE = SeenEnd("outside", address="203.0.113.9")


def seen(source: SeenEnd, destination: SeenEnd, **examples: tuple[str, ...]) -> Seen:
    return Seen(SeenKey(source, destination, "TCP", 8080, "allowed"), 1, 1, 1, 0, 1, **examples)


def gone(name: str, **labels: str) -> SeenPod:
    return SeenPod(WEB, name, labels, "node1", ("10.0.0.9",), 5)


def sources(record: Seen, *pods: SeenPod, present: tuple[str, ...] = ()) -> set[str]:
    cluster = snapshot(pod("api-1", "10.0.1.1"), *(pod(name, f"10.0.0.{n}", labels={"app": "web", "n": name})
                       for n, name in enumerate(present, 1)))  # fmt: skip
    history = History(pods={item.key: item for item in pods})
    return {question.source.pod.name for question in questions_of(record, history, cluster) if question.source.pod}


def test_pods_that_are_still_there_stand_for_themselves() -> None:
    record = seen(WEB, API, source_pods=("shop/web-1",))
    assert sources(record, gone("web-1", old="1"), present=("web-1", "web-2")) == {"web-1"}


def test_present_pods_stand_in_for_those_that_are_gone() -> None:
    record = seen(WEB, API, source_pods=("shop/web-0",))
    assert sources(record, gone("web-0"), present=("web-1", "web-2")) == {"web-1", "web-2"}


def test_a_workload_that_is_gone_is_judged_as_it_was() -> None:
    cluster = snapshot(pod("api-1", "10.0.1.1"), allow_from("web", "api"))
    history = History(pods={"shop/web-0": gone("web-0", app="web"), "shop/web-9": gone("web-9", app="other")})
    for names, verdict in ((("shop/web-0",), "allow"), (("shop/web-9",), "deny")):
        (question,) = questions_of(seen(WEB, API, source_pods=names), history, cluster)
        assert evaluate(cluster.policies, question).verdict == verdict


def test_an_end_that_nobody_knows_is_no_question() -> None:
    cluster = snapshot(pod("api-1", "10.0.1.1"))
    assert questions_of(seen(SeenEnd("unknown"), API), History(), cluster) == ()
    assert questions_of(seen(WEB, API), History(), cluster) == ()


def test_outside_ends_carry_their_address_and_the_names_known() -> None:
    cluster = snapshot(pod("web-1", "10.0.0.1"), node("node1", "192.0.2.1"))
    (named,) = questions_of(seen(WEB, OUTSIDE, domains=("pay.example",)), History(), cluster)
    assert named.destination.domains == ("pay.example",)
    (unnamed,) = questions_of(seen(SeenEnd("node", "", "Node", "node1"), OUTSIDE), History(), cluster)
    assert unnamed.destination.domains is None
    assert unnamed.source.node_name == "node1"
