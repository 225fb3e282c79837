"""How far event time has come: by what was reported, or by the clock when nobody reports any more."""


class EventTime:
    """Of one partition. Times are Unix, ns."""

    def __init__(self, grace_ns: int, ahead_ns: int) -> None:
        """``ahead_ns``: how far a node's clock may be ahead of ours and still be believed."""
        self._grace_ns = grace_ns
        self._ahead_ns = ahead_ns
        self._watermark_ns = 0
        self._heard_at_ns = 0

    def note(self, end_ns: int, now_ns: int) -> None:
        """Take note of an interval's end. A node whose clock is ahead must not close the time of the others."""
        self._heard_at_ns = max(self._heard_at_ns, now_ns)
        self._watermark_ns = max(self._watermark_ns, min(end_ns, now_ns + self._ahead_ns))

    def at(self, now_ns: int) -> int:
        """How far it has come."""
        is_silent = now_ns >= self._heard_at_ns + 2 * self._grace_ns
        return max(self._watermark_ns, now_ns) if is_silent else self._watermark_ns
