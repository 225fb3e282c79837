"""Packets that the kernel showed without conntrack's tuples get them from the beginning of their connection."""

from dataclasses import replace

import numpy as np

from agents.node.payload.packet import End, Kind, Packet
from agents.node.payload.translation_book import TranslationBook
from agents.node.report.rows import join
from tests.support.application import CLIENT, DIALLED, SERVER, packet
from tests.unit.agents.node.report.builders import report

POD, SERVICE, BACKEND, NODE = ("10.0.0.1", 40000), ("10.96.0.1", 80), ("10.0.1.2", 8080), ("10.1.0.1", 61000)
SNATTED = End(0, CLIENT.low & ~0xFFFFFFFF | 0x0A010001, 61000)


def seen(**ends: End) -> Packet:
    """As a kernel shows it that attaches no tuples."""
    return replace(packet(Kind.HTTP_REQUEST, b"GET / HTTP/1.1\r\n\r\n"), **({"dialled": SERVER} | ends))


def test_the_service_that_was_dialled_is_known_behind_destination_nat() -> None:
    book = TranslationBook()
    book.note(report(POD, SERVICE, BACKEND))
    assert book.undo(seen()) == seen(dialled=DIALLED)


def test_where_answers_go_is_known_behind_source_nat() -> None:
    book = TranslationBook()
    book.note(report(POD, BACKEND, BACKEND, NODE))
    assert book.undo(seen()) == seen(answered=SNATTED)


def test_what_is_not_translated_or_not_known_or_told_by_the_kernel_stays_as_it_is() -> None:
    book = TranslationBook()
    book.note(join([report(POD, BACKEND), report(POD, SERVICE, BACKEND, protocol=17)], report(POD, SERVICE).dtype))
    assert not len(book)
    assert book.undo(seen()) == seen()
    book.note(report(POD, ("10.96.0.2", 80), BACKEND))
    told = seen(dialled=DIALLED)
    assert book.undo(told) is told


def test_a_port_that_is_used_again_is_of_its_latest_connection() -> None:
    book = TranslationBook()
    book.note(
        join([report(POD, ("10.96.0.2", 80), BACKEND), report(POD, SERVICE, BACKEND)], report(POD, SERVICE).dtype)
    )
    assert book.undo(seen()).dialled == DIALLED


def test_the_book_is_bounded_and_what_was_asked_for_stays() -> None:
    book = TranslationBook()
    book.note(report(POD, SERVICE, BACKEND))
    many = np.repeat(report(("10.0.0.9", 1), SERVICE, BACKEND), 50_000)
    many["original_source_low"] += np.arange(50_000, dtype=np.uint64) >> np.uint64(2) << np.uint64(8)
    many["original_source_port"] = np.arange(50_000) % 4
    book.note(many[:1_000])
    assert book.undo(seen()).dialled == DIALLED
    book.note(many[:16_000])
    assert book.undo(seen()).dialled == DIALLED
    book.note(many)
    assert len(book) == 16_384
    assert book.undo(seen()) == seen()
