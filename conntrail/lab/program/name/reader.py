"""Asks DNS as a pod's resolver does: by the search path, both families at once, over TCP what did not fit."""

from dataclasses import dataclass
from random import SystemRandom
from typing import Final

from conntrail.lab.program.dial.reader import Dial, dialled
from conntrail.lab.program.name.question import Answer, candidates, framed, parse_answer, query, unframed
from conntrail.lab.program.task import Order, Task
from conntrail.lab.program.truth.fact import NO_ANSWER, DnsExchange, Fact

_IDENTITIES: Final = 1 << 16
"""RFC 1035, 4.1.1. Those of questions that are open together differ."""
_NS_PER_US: Final = 1000
_FINAL: Final = "NOERROR"
_MISSING: Final = "NXDOMAIN"


@dataclass(frozen=True, slots=True)
class Resolution:
    """What a name led to."""

    name: str = ""
    """Full name that was answered; empty when none was."""
    values: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Question:
    name: str
    type: str
    started_at_ns: int


def resolve(order: Order, task: Task, name: str, facts: list[Fact]) -> Resolution:
    """Ask for a name at the task's server; every socket and every exchange is added to the facts."""
    found = Resolution()
    again: list[tuple[str, str]] = []
    with dialled(order, task, facts) as dial:
        dial.connect()
        for full in candidates(name, order.search):
            answers = _ask(dial, [(full, kind) for kind in task.types], task.edns, facts)
            again += [(full, answer_type) for answer_type, answer in answers.items() if answer.is_truncated]
            if not all(answer.code == _MISSING for answer in answers.values()) or len(answers) < len(task.types):
                found = _resolution(full, answers)
                break
        if not dial.received:
            raise TimeoutError
    if again:
        with dialled(order, task, facts, is_stream=True) as dial:
            dial.connect()
            found = _resolution(again[0][0], _ask(dial, again, task.edns, facts))
            dial.end()
            dial.receive_rest()
    return found


def _resolution(name: str, answers: dict[str, Answer]) -> Resolution:
    values = tuple(value for answer in answers.values() if answer.code == _FINAL for value in answer.values)
    return Resolution(name, values) if values else Resolution()


def _ask(dial: Dial, wanted: list[tuple[str, str]], payload_bytes: int, facts: list[Fact]) -> dict[str, Answer]:
    """All at once; what is answered in time, by type."""
    open_questions: dict[int, _Question] = {}
    identities = SystemRandom().sample(range(_IDENTITIES), len(wanted))
    for identity, (name, kind) in zip(identities, wanted, strict=True):
        message = query(identity, name, kind, payload_bytes)
        at = dial.send(framed(message) if dial.ends.protocol == "tcp" else message)
        open_questions[identity] = _Question(name, kind, at)
    answers: dict[str, Answer] = {}
    try:
        while open_questions:
            for wire, at in _messages(dial):
                answer = parse_answer(wire)
                question = open_questions.pop(answer.identity, None) if answer else None
                if answer and question:
                    answers[question.type] = answer
                    facts.append(_exchange(dial, question, answer, at))
    except TimeoutError:
        pass  # what was not answered is told below
    finally:
        facts += [_exchange(dial, question, None, 0) for question in open_questions.values()]
    return answers


def _messages(dial: Dial) -> list[tuple[bytes, int]]:
    """One datagram, or what one stream holds so far, read until its messages are whole."""
    data, at = dial.receive()
    if dial.ends.protocol != "tcp":
        return [(data, at)]
    if not data:
        raise ConnectionResetError("closed before all was answered")
    found: list[tuple[bytes, int]] = []
    while True:
        message, data = unframed(data)
        if message is not None:
            found.append((message, at))
        elif not data:
            return found
        else:
            more, at = dial.receive()
            if not more:
                raise ConnectionResetError("closed in the middle of an answer")
            data += more


def _exchange(dial: Dial, question: _Question, answer: Answer | None, at_ns: int) -> DnsExchange:
    return DnsExchange(
        ends=dial.ends,
        name=question.name,
        type=question.type,
        code=answer.code if answer else NO_ANSWER,
        answers=answer.values if answer else (),
        is_truncated=bool(answer and answer.is_truncated),
        latency_us=max(at_ns - question.started_at_ns, 0) // _NS_PER_US if answer else None,
        started_at_ns=question.started_at_ns,
    )
