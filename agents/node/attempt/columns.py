"""The columns in which first packets go from the kernel's log messages to the table of attempts."""

from typing import Final

import numpy as np
import numpy.typing as npt

from agents.node.report.columns import TUPLES

DIALLED: Final = 1  # before destination NAT: what the initiator wrote on the packet
TRANSLATED: Final = 2  # the same packet after destination NAT
REJECTED: Final = 3  # an answer that this node's packet filter gave in place of the destination

ATTEMPT: Final = np.dtype(
    [
        *TUPLES,
        ("kind", "u1"),  # DIALLED, TRANSLATED or REJECTED
        ("packet", "u8"),  # what NAT leaves alone in a packet: tells two packets of one source apart
        ("ip_bytes", "u4"),  # IP length, header included
        ("seen_at_ns", "i8"),  # Unix time
    ]
)
"""One logged packet. A TRANSLATED row may not know what was dialled: its original destination is then 0.
A REJECTED row carries the tuples of the attempt that it answers, as the packet filter saw it: after DNAT."""

Attempts = npt.NDArray[np.void]
