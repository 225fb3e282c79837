import pytest

from streams.exchange.echo import is_echo
from tests.support.objects import SECOND
from tests.support.parts import batch
from tests.unit.streams.exchange.builders import DIRECTORY, FAMILIES, asked, named, reports

EVERYBODY = reports(batch("node1"), batch("node2"), batch("edge"))


@pytest.fixture(params=FAMILIES.values(), ids=FAMILIES)
def of(request: pytest.FixtureRequest) -> dict[str, str]:
    """Addresses of one family, by who has them."""
    addresses: dict[str, str] = request.param
    return addresses


def counting(of: dict[str, str], *seen: tuple[str, str, str, str], known: object = EVERYBODY) -> list[str]:
    """Who reports what counts, of what (reporter, client, server, dialled) say."""
    found = []
    for reporter, client, server, dialled in seen:
        rows = named(reporter, asked(of[client], of[server], of[dialled]))
        if not is_echo(rows, known, DIRECTORY)[0]:  # type: ignore[arg-type] # Reports
            found.append(reporter)
    return found


def test_of_two_nodes_that_of_the_client_counts(of: dict[str, str]) -> None:
    seen = (("node1", "client", "server", "service"), ("node2", "client", "server", "server"))
    assert counting(of, *seen) == ["node1"]


def test_on_one_node_it_counts_there(of: dict[str, str]) -> None:
    assert counting(of, ("node1", "client", "beside", "beside")) == ["node1"]


def test_the_servers_node_counts_while_the_clients_is_silent(of: dict[str, str]) -> None:
    seen = ("node2", "client", "server", "server")
    assert counting(of, seen, known=reports(batch("node2"))) == ["node2"]
    assert counting(of, seen, known=reports(batch("node2"), batch("node1", coverage="blind"))) == ["node2"]
    assert counting(of, seen, known=reports(batch("node2"), batch("node1", 1, 10, 20))) == ["node2"]
    assert counting(of, seen, known=reports(batch("node2"), batch("node1", coverage="lossy"))) == []


def test_a_client_on_a_nodes_own_network_is_that_nodes(of: dict[str, str]) -> None:
    seen = (("node1", "node1", "server", "service"), ("node2", "node1", "server", "server"))
    assert counting(of, *seen) == ["node1"]


def test_a_client_hidden_by_its_node_counts_where_it_is_known(of: dict[str, str]) -> None:
    seen = (("node1", "client", "server", "service"), ("node2", "node1", "server", "server"))
    assert counting(of, *seen) == ["node1"]


def test_a_client_outside_that_an_edge_hides_counts_at_the_edge(of: dict[str, str]) -> None:
    seen = (("edge", "outside", "server", "edge"), ("node2", "edge", "server", "server"))
    assert counting(of, *seen) == ["edge"]
    assert counting(of, *seen, known=reports(batch("node2"))) == ["edge", "node2"]


def test_a_client_outside_that_nobody_hides_counts_at_the_server(of: dict[str, str]) -> None:
    seen = (("edge", "outside", "server", "server"), ("node2", "outside", "server", "server"))
    assert counting(of, *seen) == ["node2"]
    assert counting(of, seen[0], known=reports(batch("edge"))) == ["edge"]


def test_a_server_outside_counts_where_its_client_is(of: dict[str, str]) -> None:
    seen = (("node1", "client", "outside", "outside"), ("edge", "node1", "outside", "outside"))
    assert counting(of, *seen) == ["node1"]


def test_a_client_that_nobody_knows_yet_counts_at_the_server(of: dict[str, str]) -> None:
    seen = (("node1", "unknown", "server", "service"), ("node2", "unknown", "server", "server"))
    assert counting(of, *seen) == ["node2"]


def test_nobody_of_the_cluster_counts_where_it_was_seen(of: dict[str, str]) -> None:
    assert counting(of, ("edge", "outside", "outside", "outside")) == ["edge"]


@pytest.mark.parametrize(("start", "end", "is_dropped"), [(0, 5, False), (0, 6, True), (5, 7, True), (6, 9, False)])
def test_what_the_clients_node_reported_any_of_is_an_echo(start: int, end: int, is_dropped: bool) -> None:
    rows = named("node2", asked("10.0.1.7", "10.0.2.8"))
    assert is_echo(rows, reports(batch("node1", start=start, end=end)), DIRECTORY).to_list() == [is_dropped]


def test_a_row_that_does_not_say_when_is_held_against_its_interval() -> None:
    rows = named("node2", asked("10.0.1.7", "10.0.2.8", first_seen_at_ns=0, last_seen_at_ns=0))
    assert is_echo(rows, reports(batch("node1", start=9, end=12)), DIRECTORY).to_list() == [True]
    assert is_echo(rows, reports(batch("node1", start=10, end=12)), DIRECTORY).to_list() == [False]


def test_a_row_whose_times_are_reversed_is_taken_as_if_they_were_not() -> None:
    turned = asked("10.0.1.7", "10.0.2.8", first_seen_at_ns=8 * SECOND, last_seen_at_ns=SECOND)
    rows = named("node2", turned)
    assert is_echo(rows, reports(batch("node1", start=3, end=4)), DIRECTORY).to_list() == [True]


def test_no_rows_are_no_echoes() -> None:
    assert is_echo(named("node2"), EVERYBODY, DIRECTORY).to_list() == []
