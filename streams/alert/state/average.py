"""A baseline: an exponentially weighted mean that is silent until enough was seen."""

import msgspec

_WEIGHT = 0.1
"""Of the latest window: a baseline follows a lasting change within some twenty windows."""
_ENOUGH = 5
"""Windows before a baseline is told."""
_NOVICE_WINDOWS = 10
"""Until then every window weighs the same."""


class Average(msgspec.Struct, array_like=True):
    """Of one figure. Windows, not records, teach it: ``taught_ns`` is the end of the last one, so a replay does not."""

    mean: float = 0.0
    windows: int = 0
    taught_ns: int = 0

    @property
    def baseline(self) -> float | None:
        """None while too little was seen."""
        return self.mean if self.windows >= _ENOUGH else None

    def teach(self, value: float, end_ns: int) -> None:
        """Take a figure into account, one a window."""
        if end_ns <= self.taught_ns:
            return
        self.taught_ns = end_ns
        self.windows = min(self.windows + 1, 1_000_000)
        weight = 1 / self.windows if self.windows <= _NOVICE_WINDOWS else _WEIGHT
        self.mean += weight * (value - self.mean)

    def rise(self, value: float, least: float) -> float | None:
        """Value over baseline; a baseline below ``least`` counts as that. None while there is none."""
        baseline = self.baseline
        return None if baseline is None else value / max(baseline, least)
