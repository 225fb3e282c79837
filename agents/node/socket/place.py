"""Decides in which namespaces an end's socket is sought: those that hold its address."""

from collections.abc import Iterable, Mapping
from typing import Final

import numpy as np
import numpy.typing as npt

from agents.node.attempt.address import Address
from agents.node.socket.diag.question import Questions

_MAXIMUM_HOLDERS: Final = 4
"""Namespaces asked for one address; more of them share it by design, and it tells nothing."""


class Places:
    """Addresses to the namespaces (inodes) that hold them."""

    def __init__(self, addresses: Mapping[int, Iterable[Address]], node: int) -> None:
        self._node = node
        self._holders: dict[Address, list[int]] = {}
        for inode, held in addresses.items():
            for address in held:
                holders = self._holders.setdefault(address, [])
                if len(holders) < _MAXIMUM_HOLDERS:
                    holders.append(inode)

    def split(self, questions: Questions) -> dict[int, npt.NDArray[np.intp]]:
        """Indices of the questions to put in each namespace; an end elsewhere is asked nowhere."""
        ends = np.stack([questions["local_high"], questions["local_low"]], axis=1)
        distinct, which = np.unique(ends, axis=0, return_inverse=True)
        order = np.argsort(which, kind="stable")
        starts = np.searchsorted(which[order], np.arange(len(distinct) + 1))
        found: dict[int, list[npt.NDArray[np.intp]]] = {}
        for number, (high, low) in enumerate(distinct.tolist()):
            indices = order[starts[number] : starts[number + 1]]
            for inode in self._find((high, low)):
                found.setdefault(inode, []).append(indices)
        return {inode: np.concatenate(parts) for inode, parts in found.items()}

    def _find(self, address: Address) -> list[int]:
        high, low = address
        # What conntrack saw on loopback can only be the node's own.
        is_loopback = high == 0 and (low == 1 or low >> 24 == (0xFFFF << 8 | 127))
        return [self._node] if is_loopback else self._holders.get(address, [])
