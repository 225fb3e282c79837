"""Tenths of a second of Unix time: what began in one is told together, so that no two denials told of a flow share one.

Streams name a denial by the tenth in which it began, which both ends' nodes agree on.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

MOMENT_NS: Final = 100_000_000

Instants = npt.NDArray[np.int64]


def moments_end(at_ns: Instants) -> Instants:
    """When the tenth of a second that holds each instant is over."""
    end: Instants = (at_ns // MOMENT_NS + 1) * MOMENT_NS
    return end
