"""Joins connections, sockets and processes to columns of flows.raw: every field present, unknown ones null."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, Protocol

import numpy as np
import numpy.typing as npt

from agents.node.report.address import render_addresses
from agents.node.report.columns import END_REASONS, EVIDENCES, TCP_STATES, Reports, Sockets
from agents.node.report.key import flow_keys
from agents.node.report.known_socket import NOWHERE, KnownSockets
from agents.node.report.name_book import NameBook
from agents.node.report.protocol_book import ProtocolBook
from agents.publish.column import BooleanColumn, Column, LongColumn, TextColumn

IPS_SEEN_REPLY: Final = 1 << 1  # linux/netfilter/nf_conntrack_common.h
_TCP: Final = 6
_ICMP: Final = (1, 58)
_MAXIMUM_LONG: Final = 2**63 - 1
_MAXIMUM_INT: Final = 2**31 - 1
_MAXIMUM_NAME: Final = 64  # the kernel's TASK_COMM_LEN is 16; threads of the kernel may show more
_MAXIMUM_EXECUTABLE: Final = 256
_ENDS: Final = ("original_source", "original_destination", "reply_source", "reply_destination")
_COUNTERS: Final = ("original_packets", "original_bytes", "reply_packets", "reply_bytes")
_FIGURES: Final = {"rtt_us": "tcp_rtt_us", "rtt_var_us": "tcp_rtt_var_us", "lost": "tcp_lost",
                   "delivery_rate": "tcp_delivery_rate"}  # fmt: skip


class NamedProcess(Protocol):
    """A process that holds a socket."""

    @property
    def pid(self) -> int:
        """As the node's own pid namespace numbers it."""

    @property
    def name(self) -> str:
        """Command name."""

    @property
    def executable(self) -> str:
        """Path of the program."""


Processes = Mapping[int, NamedProcess | None]
"""By socket inode; None where the search found nobody."""


def assemble_flows(
    reports: Reports, sockets: KnownSockets, processes: Processes, names: NameBook, protocols: ProtocolBook
) -> dict[str, Column]:
    """Columns of raw_flow. Takes the retransmits of the sockets, so each report is assembled once."""
    source, destination = sockets.match(reports)
    columns: dict[str, Column] = {"flow_key": LongColumn(flow_keys(reports))}
    columns |= {name: LongColumn(reports[name]) for name in ("connection_id", "protocol", "zone")}
    columns |= _tuple_columns(reports)
    columns |= _life_columns(reports)
    columns |= _process_columns("source", sockets.sockets_at(source), processes)
    columns |= _process_columns("destination", sockets.sockets_at(destination), processes)
    columns |= _tcp_columns(reports, source, destination, sockets)
    columns |= names.columns(reports)
    columns["application_protocol"] = protocols.column(reports)
    return columns


def _tuple_columns(reports: Reports) -> dict[str, Column]:
    columns: dict[str, Column] = {}
    is_icmp = np.isin(reports["protocol"], _ICMP)
    texts, indices = render_addresses(
        np.concatenate([reports[f"{end}_high"] for end in _ENDS]),
        np.concatenate([reports[f"{end}_low"] for end in _ENDS]),
    )
    for end, own in zip(_ENDS, np.split(indices, len(_ENDS)), strict=True):
        columns[f"{end}_address"] = TextColumn(texts, own)
        columns[f"{end}_port"] = LongColumn(np.where(is_icmp, 0, reports[f"{end}_port"]))
    for name in ("icmp_type", "icmp_code", "icmp_id"):
        columns[name] = LongColumn(reports[name], is_icmp)
    return columns


def _life_columns(reports: Reports) -> dict[str, Column]:
    columns: dict[str, Column] = {name: LongColumn(_long(reports[name])) for name in _COUNTERS}
    columns |= {name: LongColumn(reports[name]) for name in ("started_at_ns", "seen_at_ns")}
    columns |= {name: BooleanColumn(reports[name]) for name in ("is_first", "is_final")}
    columns["ended_at_ns"] = LongColumn(reports["ended_at_ns"], reports["ended_at_ns"] != 0)
    is_tcp = reports["protocol"] == _TCP
    columns["state"] = _named(TCP_STATES[1:], np.where(is_tcp, reports["tcp_state"], 0), first=1)
    columns["seen_reply"] = BooleanColumn(reports["status"] & IPS_SEEN_REPLY != 0)
    columns["end_reason"] = _named(END_REASONS, reports["end_reason"])
    columns["evidence"] = _named(EVIDENCES, reports["evidence"])
    for name in ("attempts", "begun"):
        columns[name] = LongColumn(np.minimum(reports[name], _MAXIMUM_INT))
    return columns


def _process_columns(side: str, sockets: Sockets, processes: Processes) -> dict[str, Column]:
    inodes, indices = np.unique(sockets["inode"], return_inverse=True)
    found = [processes.get(inode) for inode in inodes.tolist()]
    numbers = np.array([process.pid if process else 0 for process in found], np.int64)[indices]
    numbers = np.where(numbers != 0, numbers, sockets["process_id"])
    names = [_text(process.name, _MAXIMUM_NAME) if process else "" for process in found]
    executables = [_text(process.executable, _MAXIMUM_EXECUTABLE) if process else "" for process in found]
    return {
        f"{side}_process_id": LongColumn(numbers, numbers != 0),
        f"{side}_process_name": _text_or_null(names, indices),
        f"{side}_process_executable": _text_or_null(executables, indices),
        f"{side}_cgroup_id": LongColumn(_long(sockets["cgroup_id"]), sockets["cgroup_id"] != 0),
    }


def _tcp_columns(
    reports: Reports, source: npt.NDArray[np.intp], destination: npt.NDArray[np.intp], sockets: KnownSockets
) -> dict[str, Column]:
    """Figures of the initiator's socket, or of the responder's when that alone is local."""
    position = np.where(sockets.sockets_at(source)["has_figures"], source, destination)
    chosen = sockets.sockets_at(position)
    has_figures = chosen["has_figures"] & (reports["protocol"] == _TCP)
    columns: dict[str, Column] = {
        column: LongColumn(_long(chosen[field]), has_figures) for field, column in _FIGURES.items()
    }
    taken = sockets.take_retransmits(np.where(has_figures, position, NOWHERE))
    columns["tcp_retransmits"] = LongColumn(taken, has_figures)
    return columns


def _text(text: str, maximum: int) -> str:
    """What Avro takes: a name may hold any bytes, which arrive as lone surrogates."""
    return text[:maximum].encode(errors="replace").decode()


def _text_or_null(texts: list[str], indices: npt.NDArray[Any]) -> TextColumn:
    table: dict[str, int] = {}
    places = np.array([table.setdefault(text, len(table)) for text in texts], np.intp)
    is_known = np.array([bool(text) for text in texts], np.bool_)
    return TextColumn(list(table), places[indices], is_known[indices])


def _long(values: npt.NDArray[Any]) -> npt.NDArray[np.uint64]:
    """Avro's long is signed; no real counter comes near, so the cut only guards the encoder."""
    return np.minimum(values.astype(np.uint64), _MAXIMUM_LONG)


def _named(names: Sequence[str], indices: npt.NDArray[Any], first: int = 0) -> TextColumn:
    """Names by index, the first name standing for ``first``; an index without a name gives an empty text."""
    is_named = (indices >= first) & (indices < first + len(names))
    return TextColumn(["", *names], np.where(is_named, indices.astype(np.intp) - first + 1, 0))
