"""What becomes of questions whose server leaves."""

import socket
from concurrent.futures import ThreadPoolExecutor

from conntrail.lab.program.dial.reader import dialled
from conntrail.lab.program.name.reader import _ask
from conntrail.lab.program.task import Order, Task
from conntrail.lab.program.truth.fact import NO_ANSWER, REFUSED, Connection, DnsExchange, Fact

HOST = "127.0.0.1"


def test_a_stream_that_ends_without_an_answer_leaves_the_question_without_one() -> None:
    order = Order("shop", "web", "uid-1", "web", HOST, "::1", 0, "", None)
    facts: list[Fact] = []
    with socket.create_server((HOST, 0)) as server, ThreadPoolExecutor(1) as threads:
        task = Task("dns", HOST, server.getsockname()[1], 1)
        threads.submit(end_after_the_question, server)
        with dialled(order, task, facts, is_stream=True) as dial:
            dial.connect()
            _ask(dial, [("lab.test", "A")], 0, facts)
    exchange, connection = facts
    assert isinstance(exchange, DnsExchange)
    assert isinstance(connection, Connection)
    assert (exchange.code, connection.outcome) == (NO_ANSWER, REFUSED)


def end_after_the_question(server: socket.socket) -> None:
    peer, _ = server.accept()
    with peer:
        peer.recv(1000)
