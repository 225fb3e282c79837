"""Settings of the stream processors: their windows, and their process."""

from typing import Annotated

import msgspec

from runtime.setting.group import Group
from runtime.unit import Seconds, require_within


class WindowSettings(Group, frozen=True):
    """Windows of the stream processors."""

    size: Seconds = Seconds(60.0)
    """Length of a window; boundaries lie on multiples of it."""
    step: Seconds = Seconds(10.0)
    """Both ends' reports of a connection are matched, and flows are emitted, in steps of this length.
    At least the agents' interval; must divide the size."""
    grace: Seconds = Seconds(10.0)
    """How long a step waits for reports of nodes that are alive and have not sent theirs, and DNS and application
    exchanges for the names of their ends; for a node that is late they wait up to four times as long, since what is
    told of them is not told anew."""

    def __post_init__(self) -> None:
        """Raise ValueError for windows that are no whole number of steps."""
        require_within("size", self.size, 1, 86400)
        require_within("step", self.step, 0.1, self.size)
        require_within("grace", self.grace, 0, 86400)
        if round(self.size * 1000) % round(self.step * 1000):
            raise ValueError(f"`step` of {self.step:g} s must divide the window's size of {self.size:g} s")


class WorkerSettings(Group, frozen=True):
    """A worker process."""

    id: str = ""
    """The static member's name; empty means the host name. Two live workers may not share it."""
    data_directory: str = ""
    """Where Faust keeps its tables; empty means a temporary directory that goes with the process."""
    refusal_share: Annotated[float, msgspec.Meta(gt=0, le=1)] = 0.5
    """A stage stops when more than this share of its last 200 messages could not be used, 20 at least, instead of
    sending everything to the dead letters. 1 never stops: for getting past a stretch of messages that nobody needs."""
    exchange_namespaces: str = ""
    """Namespaces whose DNS and application exchanges are kept, separated by commas, ``*`` and ``?`` as in a shell; of
    either end. Others are dropped and counted. Empty means all."""
