"""An end is sought where its address is, and nowhere else."""

import ipaddress

import numpy as np

from agents.node.attempt.address import Address, map_address
from agents.node.socket.diag.question import QUESTION, Questions
from agents.node.socket.place import Places

_NODE, _ONE, _OTHER = 1, 2, 3


def _address(text: str) -> Address:
    return map_address(ipaddress.ip_address(text).packed)


def _questions(*texts: str) -> Questions:
    questions = np.zeros(len(texts), QUESTION)
    for question, text in zip(questions, texts, strict=True):
        question["local_high"], question["local_low"] = _address(text)
    return questions


def _split(places: Places, *texts: str) -> dict[int, list[int]]:
    return {inode: sorted(indices.tolist()) for inode, indices in places.split(_questions(*texts)).items()}


def test_each_end_goes_to_the_namespace_that_holds_its_address() -> None:
    places = Places({_NODE: [_address("10.0.0.1")], _ONE: [_address("10.1.0.2"), _address("fd00::2")]}, _NODE)
    asked = _split(places, "10.1.0.2", "10.0.0.1", "8.8.8.8", "fd00::2", "10.1.0.2")
    assert asked == {_ONE: [0, 3, 4], _NODE: [1]}


def test_an_address_held_twice_is_asked_for_in_both() -> None:
    places = Places({_ONE: [_address("10.1.0.2")], _OTHER: [_address("10.1.0.2")]}, _NODE)
    assert _split(places, "10.1.0.2") == {_ONE: [0], _OTHER: [0]}


def test_an_address_held_everywhere_is_asked_for_in_few() -> None:
    places = Places({inode: [_address("10.1.0.2")] for inode in range(2, 40)}, _NODE)
    assert len(_split(places, "10.1.0.2")) == 4


def test_loopback_is_the_nodes_own() -> None:
    places = Places({_ONE: [_address("127.0.0.1"), _address("::1")]}, _NODE)
    assert _split(places, "127.0.0.1", "127.1.2.3", "::1") == {_NODE: [0, 1, 2]}


def test_no_questions_go_nowhere() -> None:
    assert _split(Places({}, _NODE)) == {}
