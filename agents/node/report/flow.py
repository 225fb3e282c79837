"""Joins connections, sockets and processes to rows of flows.raw: every field present, unknown ones null."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol

import numpy as np
import numpy.typing as npt

from agents.node.report.address import AddressText
from agents.node.report.columns import END_REASONS, EVIDENCES, TCP_STATES, Reports, Sockets
from agents.node.report.key import flow_keys
from agents.node.report.known_socket import NOWHERE, KnownSockets

IPS_SEEN_REPLY: Final = 1 << 1  # linux/netfilter/nf_conntrack_common.h
_TCP: Final = 6
_ICMP: Final = (1, 58)
_MAXIMUM_LONG: Final = 2**63 - 1
_MAXIMUM_NAME: Final = 64  # the kernel's TASK_COMM_LEN is 16; threads of the kernel may show more
_MAXIMUM_EXECUTABLE: Final = 256
_ENDS: Final = ("original_source", "original_destination", "reply_source", "reply_destination")
_COUNTERS: Final = ("original_packets", "original_bytes", "reply_packets", "reply_bytes")
_STATES: Final = np.array(["", *TCP_STATES[1:]], object)
_FIGURES: Final = {"rtt_us": "tcp_rtt_us", "rtt_var_us": "tcp_rtt_var_us", "lost": "tcp_lost",
                   "delivery_rate": "tcp_delivery_rate"}  # fmt: skip

Column = list[Any]
Row = dict[str, Any]


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


@dataclass(frozen=True, slots=True)
class Flows:
    """Rows of one interval, with the key that chooses each one's partition."""

    keys: npt.NDArray[np.int64]
    rows: list[Row]


def assemble_flows(reports: Reports, sockets: KnownSockets, processes: Processes, addresses: AddressText) -> Flows:
    """Rows for all reports. Takes the retransmits of their sockets, so each report is assembled once."""
    keys = flow_keys(reports)
    source, destination = sockets.match(reports)
    columns: dict[str, Column] = {"flow_key": keys.tolist(), "connection_id": reports["connection_id"].tolist()}
    columns |= {name: reports[name].tolist() for name in ("protocol", "zone")}
    columns |= _tuple_columns(reports, addresses) | _life_columns(reports)
    columns |= _process_columns("source", sockets.sockets_at(source), processes)
    columns |= _process_columns("destination", sockets.sockets_at(destination), processes)
    columns |= _tcp_columns(reports, source, destination, sockets)
    names = tuple(columns)
    return Flows(keys, [dict(zip(names, values, strict=True)) for values in zip(*columns.values(), strict=True)])


def _tuple_columns(reports: Reports, addresses: AddressText) -> dict[str, Column]:
    columns: dict[str, Column] = {}
    is_icmp = np.isin(reports["protocol"], _ICMP)
    for end in _ENDS:
        columns[f"{end}_address"] = addresses.render(reports[f"{end}_high"].tolist(), reports[f"{end}_low"].tolist())
        columns[f"{end}_port"] = np.where(is_icmp, 0, reports[f"{end}_port"]).tolist()
    for name in ("icmp_type", "icmp_code", "icmp_id"):
        columns[name] = _optional(reports[name], is_icmp)
    return columns


def _life_columns(reports: Reports) -> dict[str, Column]:
    columns: dict[str, Column] = {name: _long(reports[name]).tolist() for name in _COUNTERS}
    columns |= {name: reports[name].tolist() for name in ("started_at_ns", "seen_at_ns", "is_first", "is_final")}
    columns["ended_at_ns"] = _optional(reports["ended_at_ns"], reports["ended_at_ns"] != 0)
    is_tcp = reports["protocol"] == _TCP
    columns["state"] = _named(_STATES, np.where(is_tcp, reports["tcp_state"], 0))
    columns["seen_reply"] = (reports["status"] & IPS_SEEN_REPLY != 0).tolist()
    columns["end_reason"] = _named(np.array(END_REASONS, object), reports["end_reason"])
    columns["evidence"] = _named(np.array(EVIDENCES, object), reports["evidence"])
    columns["attempts"] = np.minimum(reports["attempts"], 2**31 - 1).tolist()
    return columns


def _process_columns(side: str, sockets: Sockets, processes: Processes) -> dict[str, Column]:
    found = [processes.get(inode) if inode else None for inode in sockets["inode"].tolist()]
    numbers = sockets["process_id"].tolist()
    return {
        f"{side}_process_id": [
            process.pid if process else number or None for process, number in zip(found, numbers, strict=True)
        ],
        f"{side}_process_name": [_text(process.name, _MAXIMUM_NAME) if process else None for process in found],
        f"{side}_process_executable": [
            _text(process.executable, _MAXIMUM_EXECUTABLE) if process else None for process in found
        ],
        f"{side}_cgroup_id": _optional(_long(sockets["cgroup_id"]), sockets["cgroup_id"] != 0),
    }


def _text(text: str, maximum: int) -> str | None:
    """What Avro takes: a name may hold any bytes, which arrive as lone surrogates."""
    return text[:maximum].encode(errors="replace").decode() or None


def _tcp_columns(
    reports: Reports, source: npt.NDArray[np.intp], destination: npt.NDArray[np.intp], sockets: KnownSockets
) -> dict[str, Column]:
    """Figures of the initiator's socket, or of the responder's when that alone is local."""
    position = np.where(sockets.sockets_at(source)["has_figures"], source, destination)
    chosen = sockets.sockets_at(position)
    has_figures = chosen["has_figures"] & (reports["protocol"] == _TCP)
    columns = {column: _optional(_long(chosen[field]), has_figures) for field, column in _FIGURES.items()}
    taken = sockets.take_retransmits(np.where(has_figures, position, NOWHERE))
    columns["tcp_retransmits"] = _optional(taken, has_figures)
    return columns


def _long(values: npt.NDArray[Any]) -> npt.NDArray[np.uint64]:
    """Avro's long is signed; no real counter comes near, so the cut only guards the encoder."""
    return np.minimum(values.astype(np.uint64), _MAXIMUM_LONG)


def _optional(values: npt.NDArray[Any], is_known: npt.NDArray[np.bool_]) -> Column:
    if not is_known.any():
        return [None] * len(values)
    column = values.astype(object)
    column[~is_known] = None
    column_list: Column = column.tolist()
    return column_list


def _named(names: npt.NDArray[np.object_], indices: npt.NDArray[Any]) -> Column:
    """Names by index; an index that this release does not know gives an empty name."""
    is_known = indices < len(names)
    texts = names[np.where(is_known, indices, 0)]
    texts[~is_known] = ""
    column: Column = texts.tolist()
    return column
