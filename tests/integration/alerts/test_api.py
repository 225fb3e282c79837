"""The API of alerts as clients use it, on a real Kafka: lists, streams that break and are resumed, silences, tokens."""

import asyncio
import http.client
import json
import signal
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import aiohttp
import pytest

from schemas.topic import ALERTS, DEAD_LETTER, SILENCES
from tests.support.alerts import AlertTopics, Worker, alert, resolved, worker
from tests.support.waiting import until

pytestmark = pytest.mark.stack
_TOKEN = "correct-horse"  # a test's own


class EventStream:
    """A client of server-sent events, as the standard has them."""

    def __init__(self, address: str, last_event_id: str = "", **query: str) -> None:
        host, _, port = address.rpartition(":")
        self._connection = http.client.HTTPConnection(host, int(port), timeout=60)
        headers = {"Last-Event-ID": last_event_id} if last_event_id else {}
        self._connection.request("GET", f"/api/v1/alerts/stream?{urlencode(query)}", headers=headers)
        self._response = self._connection.getresponse()
        assert self._response.status == 200
        assert self._response.getheader("content-type") == "text/event-stream"
        self.last_event_id = last_event_id
        assert self._response.readline().startswith(b"retry: ")
        assert self._response.readline() == b"\n"

    def events(self) -> Iterator[tuple[str, dict[str, Any]]]:
        kind, data = "", ""
        while line := self._response.readline().decode():
            name, _, value = line.rstrip("\n").partition(": ")
            if name == "id":
                self.last_event_id = value
            elif name == "event":
                kind = value
            elif name == "data":
                data = value
            elif not name:
                if data:
                    yield kind, json.loads(data)
                kind, data = "", ""

    def take(self, count: int) -> list[dict[str, Any]]:
        events = self.events()
        return [next(events)[1] for _ in range(count)]

    def cut(self) -> None:
        self._connection.close()
        self._response.close()


@pytest.fixture
def served(topics: AlertTopics, tmp_path: Path) -> Iterator[Worker]:
    with worker(topics, tmp_path, "subscriptions") as running:
        yield running


def _ids(worker: Worker, query: str = "") -> list[str]:
    status, answer = worker.ask("GET", f"/api/v1/alerts{query}")
    assert status == 200, answer
    return [found["id"] for found in answer["alerts"]]


def test_the_list_has_the_last_word_on_each_alert_latest_first(topics: AlertTopics, served: Worker) -> None:
    topics.send(alert("a1"), alert("a2", severity="low", namespace="data", workloads=["data/postgres"]))
    until(lambda: len(_ids(served)) == 2)
    topics.send(alert("a1", 2), alert("a1", 1))
    until(lambda: _ids(served, "?status=updated") == ["a1"])
    assert _ids(served, "?severity=low") == ["a2"]
    assert _ids(served, "?namespace=shop") == ["a1"]
    assert _ids(served, "?workload=front*&rule=communication-*") == ["a1"]
    assert len(_ids(served, "?limit=1")) == 1
    status, found = served.ask("GET", "/api/v1/alerts/a1")
    assert (status, found["revision"], found["started_at"]) == (200, 2, "2026-11-18T11:06:40.000000Z")
    assert served.ask("GET", "/api/v1/alerts/none")[0] == 404
    assert served.ask("GET", "/api/v1/alerts?severity=loud")[0] == 400
    assert served.ask("GET", "/api/v1/nothing")[0] == 404


def test_a_client_that_is_cut_off_and_comes_again_misses_nothing(
    topics: AlertTopics, served: Worker, tmp_path: Path
) -> None:
    stream = EventStream(served.address)
    topics.send(*(alert(f"before-{number}") for number in range(10)))
    seen = [found["id"] for found in stream.take(7)]
    stream.cut()
    topics.send(*(alert(f"while-{number}") for number in range(10)))
    served.stop(signal.SIGKILL)
    topics.send(*(alert(f"away-{number}") for number in range(10)))
    with worker(topics, tmp_path, "subscriptions") as again:
        stream = EventStream(again.address, stream.last_event_id)
        topics.send(*(alert(f"after-{number}") for number in range(10)))
        seen += [found["id"] for found in stream.take(33)]
        stream.cut()
    names = ("before", "while", "away", "after")
    assert sorted(seen) == sorted(f"{name}-{number}" for name in names for number in range(10))


def test_a_stream_begins_now_with_what_is_open_or_with_everything(topics: AlertTopics, served: Worker) -> None:
    topics.send(alert("open"), alert("over"), resolved("over"))
    until(lambda: _ids(served, "?status=resolved") == ["over"])
    active, everything, now = (
        EventStream(served.address, **{"from": start}) for start in ("active", "beginning", "now")
    )
    assert [found["id"] for found in active.take(1)] == ["open"]
    assert {(found["id"], found["status"]) for found in everything.take(3)} == {
        ("open", "open"), ("over", "open"), ("over", "resolved"),
    }  # fmt: skip
    topics.send(alert("fresh"))
    assert [found["id"] for found in now.take(1)] == ["fresh"]
    for stream in (active, everything, now):
        stream.cut()


def test_a_list_is_gone_on_with_by_its_position(topics: AlertTopics, served: Worker) -> None:
    topics.send(alert("listed"))
    until(lambda: _ids(served) == ["listed"])
    position = served.ask("GET", "/api/v1/alerts")[1]["position"]
    topics.send(alert("next", namespace="other", workloads=[]), alert("wanted"))
    until(lambda: len(_ids(served)) == 3)
    stream = EventStream(served.address, position=position, namespace="shop")
    assert [found["id"] for found in stream.take(1)] == ["wanted"]
    stream.cut()


def test_a_websocket_gives_the_same(topics: AlertTopics, served: Worker) -> None:
    topics.send(alert("open"))
    until(lambda: _ids(served) == ["open"])

    async def talk() -> list[dict[str, Any]]:
        url = f"http://{served.address}/api/v1/alerts/ws?from=active&severity=high"
        async with aiohttp.ClientSession() as session, session.ws_connect(url) as socket:
            first = await socket.receive_json(timeout=60)
            topics.send(alert("quiet", severity="low"), alert("loud"))
            second = await socket.receive_json(timeout=60)
        async with aiohttp.ClientSession() as session, session.ws_connect(
            f"http://{served.address}/api/v1/alerts/ws?position={first['position']}"
        ) as socket:  # fmt: skip
            return [first, second, *[await socket.receive_json(timeout=60) for _ in range(2)]]

    messages = asyncio.run(talk())
    assert [message["alert"]["id"] for message in messages[:2]] == ["open", "loud"]
    assert {message["alert"]["id"] for message in messages[2:]} == {"quiet", "loud"}
    assert {message["type"] for message in messages} == {"alert"}


def test_silences_are_made_listed_and_ended(topics: AlertTopics, served: Worker) -> None:
    wish = {"matchers": {"namespace": "shop"}, "duration_seconds": 3600, "comment": "move", "by": "ann"}
    status, made = served.ask("POST", "/api/v1/silences", wish)
    assert (status, made["is_active"]) == (201, True)
    assert [found["id"] for found in served.ask("GET", "/api/v1/silences")[1]["silences"]] == [made["id"]]
    assert served.ask("DELETE", f"/api/v1/silences/{made['id']}")[0] == 200
    assert served.ask("GET", f"/api/v1/silences/{made['id']}")[1]["is_active"] is False
    assert [found["comment"] for found in topics.records(SILENCES)] == ["move", "move"]
    assert served.ask("POST", "/api/v1/silences", {"matchers": {"rule": "*"}, "duration_seconds": 60})[0] == 400
    assert served.ask("DELETE", "/api/v1/silences/none")[0] == 404


def test_what_is_no_alert_is_a_dead_letter_and_the_rest_goes_on(topics: AlertTopics, served: Worker) -> None:
    topics.send_bytes(ALERTS, "bad", b"no record")
    topics.send(alert("good"))
    until(lambda: _ids(served) == ["good"])
    until(lambda: [found["value"] for found in topics.records(DEAD_LETTER)] == [b"no record"])
    assert 'conntrail_worker_notice_unusable_records_total{topic="alerts"} 1.0' in served.metrics()


def test_a_token_is_asked_for_and_never_logged(topics: AlertTopics, tmp_path: Path) -> None:
    with worker(topics, tmp_path, "subscriptions", API__TOKEN=_TOKEN, LOG__LEVEL="debug") as served:
        assert served.ask("GET", "/api/v1/alerts")[0] == 401
        assert served.ask("GET", "/api/v1/alerts", headers={"Authorization": "Bearer wrong"})[0] == 401
        assert served.ask("GET", "/api/v1/alerts", headers={"Authorization": f"Bearer {_TOKEN}"})[0] == 200
        assert served.ask("GET", "/api/v1/openapi.json")[0] == 200
        assert _TOKEN not in served.log()


def test_without_a_token_web_pages_are_not_answered(served: Worker) -> None:
    assert served.ask("GET", "/api/v1/alerts", headers={"Host": "evil.example"})[0] == 401
    assert served.ask("GET", "/api/v1/alerts", headers={"Origin": "http://evil.example"})[0] == 401
    plain = {"content-type": "text/plain"}
    assert served.ask("POST", "/api/v1/silences", {}, plain)[0] == 415


def test_a_reader_that_takes_nothing_holds_up_nobody_and_is_cut(topics: AlertTopics, served: Worker) -> None:
    host, _, port = served.address.rpartition(":")
    with socket.socket() as stuck:
        stuck.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        stuck.connect((host, int(port)))
        stuck.sendall(f"GET /api/v1/alerts/stream HTTP/1.1\r\nHost: {served.address}\r\n\r\n".encode())
        until(lambda: 'conntrail_worker_api_subscribers{kind="sse"} 1.0' in served.metrics())
        stream = EventStream(served.address)
        topics.send_together(*(alert(f"a{number}", reason="r" * 20_000) for number in range(1_000)))
        assert len({found["id"] for found in stream.take(1_000)}) == 1_000
        until(lambda: 'conntrail_worker_api_slow_subscribers_total{kind="sse"} 1.0' in served.metrics())
        stream.cut()


def test_a_worker_leaves_at_once_though_streams_are_open(topics: AlertTopics, served: Worker) -> None:
    stream = EventStream(served.address)
    topics.send(alert("a1"))
    stream.take(1)
    served.stop()
    assert served.process.returncode == 0
    assert list(stream.events()) == []
