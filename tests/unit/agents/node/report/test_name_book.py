import io
from typing import Any

import fastavro
import numpy as np

from agents.node.payload.packet import End
from agents.node.report.columns import REPORT, Reports
from agents.node.report.name_book import NameBook
from agents.node.report.protocol_book import ProtocolBook
from agents.node.report.resolved import Resolved
from agents.publish.column import ColumnEncoder

_CLIENT, _SERVER, _OTHER = (0, 0xFFFF0A000001), (0, 0xFFFF0A000002), (0, 0xFFFF0A000003)
_SECOND = 1_000_000_000
_SCHEMA = {
    "type": "record",
    "name": "Row",
    "fields": [
        {"name": "destination_names", "type": {"type": "array", "items": "string"}},
        {"name": "is_destination_unnamed", "type": "boolean"},
    ],
}


def _dialled(address: tuple[int, int], at_ns: int, source: tuple[int, int] = _CLIENT) -> Reports:
    row = np.zeros(1, REPORT)
    row["original_source_high"], row["original_source_low"] = source
    row["original_destination_high"], row["original_destination_low"] = address
    row["started_at_ns"] = at_ns
    return row


def _said(book: NameBook, rows: Reports) -> tuple[list[str], bool]:
    [encoded] = ColumnEncoder(_SCHEMA).encode(book.columns(rows))
    said: Any = fastavro.schemaless_reader(io.BytesIO(encoded), _SCHEMA, None)
    return said["destination_names"], said["is_destination_unnamed"]


def _resolved(*names: str, at: int = 100, time_to_live: int = 0, address: tuple[int, int] = _SERVER) -> Resolved:
    return Resolved(_CLIENT, names, (address,), time_to_live, at * _SECOND)


def test_a_name_holds_from_its_answer_until_five_minutes_later_at_least() -> None:
    book = NameBook()
    book.note(_resolved("a.example", "b.example"))
    assert _said(book, _dialled(_SERVER, 99 * _SECOND)) == ([], False)
    assert _said(book, _dialled(_SERVER, 100 * _SECOND - 50_000_000))[0] == ["a.example", "b.example"]
    assert _said(book, _dialled(_SERVER, 400 * _SECOND))[0] == ["a.example", "b.example"]
    assert _said(book, _dialled(_SERVER, 401 * _SECOND)) == ([], False), "it was looked up, if long ago"


def test_what_another_client_looked_up_is_not_called_unnamed() -> None:
    book = NameBook()
    book.note(_resolved("a.example"))
    book.note(Resolved(_OTHER, ("b.example",), (), 0, 100 * _SECOND))
    assert _said(book, _dialled(_SERVER, 200 * _SECOND, source=_OTHER)) == ([], False)
    assert _said(book, _dialled(_CLIENT, 200 * _SECOND, source=_OTHER)) == ([], True)


def test_a_longer_time_to_live_holds_longer_and_the_latest_name_is_first() -> None:
    book = NameBook()
    book.note(_resolved("a.example", time_to_live=1000))
    book.note(_resolved("b.example", at=101))
    assert _said(book, _dialled(_SERVER, 102 * _SECOND))[0] == ["b.example", "a.example"]
    assert _said(book, _dialled(_SERVER, 1000 * _SECOND))[0] == ["a.example"]


def test_only_an_address_of_a_client_watched_without_loss_is_called_unnamed() -> None:
    book = NameBook()
    book.note(_resolved("a.example"))
    assert _said(book, _dialled(_OTHER, 101 * _SECOND)) == ([], True)
    assert _said(book, _dialled(_OTHER, 101 * _SECOND, source=_OTHER)) == ([], False)
    book.note_loss(102 * _SECOND)
    assert _said(book, _dialled(_OTHER, 101 * _SECOND)) == ([], False)
    assert _said(book, _dialled(_OTHER, 103 * _SECOND)) == ([], True)


def test_clients_and_addresses_without_number_stay_within_the_bound() -> None:
    book = NameBook()
    for number in range(3_000):
        book.note(_resolved("a.example", address=(1, number)))
    assert len(book) == 1_024
    assert _said(book, _dialled(_OTHER, 101 * _SECOND)) == ([], False)
    for number in range(60_000):
        book.note(Resolved((2, number % 5_000), ("a.example",), ((1, number),), 0, 0))
    assert len(book) <= 50_000


def test_names_of_an_address_stay_within_a_bound_of_characters() -> None:
    book = NameBook()
    book.note(_resolved("a" * 250, "b" * 250, "c.example", "d.example"))
    assert _said(book, _dialled(_SERVER, 200 * _SECOND))[0] == ["a" * 250, "b" * 250, "c.example"]
    for at in (100, 101):
        book.note(_resolved("\\255" * 240, at=at, address=_OTHER))
    assert _said(book, _dialled(_OTHER, 200 * _SECOND)) == ([], False)
    assert len(book) == 2


def test_a_connection_is_told_what_it_speaks_until_it_ends() -> None:
    book, row = ProtocolBook(), _dialled(_SERVER, 0)
    row["original_source_port"], row["original_destination_port"], row["protocol"] = 40_000, 53, 17
    book.note(End(*_CLIENT, 40_000), End(*_SERVER, 53), 17, "dns")
    for is_final in (False, True):
        row["is_final"] = is_final
        column = book.column(row)
        assert [column.texts[index] for index in column.indices] == ["dns"]
    assert len(book) == 0


def test_protocols_stay_within_the_bound() -> None:
    book = ProtocolBook()
    for number in range(70_000):
        book.note(End(0, number, 1), End(*_SERVER, 53), 17, "dns")
    assert len(book) == 65_536


def test_a_connection_is_found_by_its_ends_after_translation_too() -> None:
    book, row = ProtocolBook(), _dialled(_SERVER, 0)
    row["original_source_port"], row["original_destination_port"], row["protocol"] = 40_000, 53, 17
    row["reply_source_high"], row["reply_source_low"], row["reply_source_port"] = *_OTHER, 5353
    book.note(End(*_CLIENT, 40_000), End(*_OTHER, 5353), 17, "dns")
    column = book.column(row)
    assert [column.texts[index] for index in column.indices] == ["dns"]
