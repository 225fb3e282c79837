"""The rules that log first packets, in place in the node's network namespace."""

from agents.node.attempt.ruleset import CUT_COUNTER, TABLE, render_ruleset
from agents.node.rule_table.writer import RuleTable


class AttemptRules:
    """Our table of attempts.

    Install it only when conntrack events are being listened to: connections that are confirmed unheard would look
    denied.
    """

    def __init__(self, netns: str, group: int, per_second: int, *, is_trial: bool = False) -> None:
        """``is_trial``: nothing is put in place, see RuleTable."""
        self._table = RuleTable(netns, TABLE, is_trial=is_trial)
        self._script = render_ruleset(group, per_second)

    @property
    def is_installed(self) -> bool:
        """By this object; a table that an earlier process left does not count."""
        return self._table.is_installed

    def install(self) -> None:
        """Put the table in place. Raises WriteError when nft is absent or refuses, RightsError without the right."""
        self._table.install(self._script)

    def remove(self) -> None:
        """Take the table away; one that is gone already is no error."""
        self._table.remove()

    def read_cut(self) -> int:
        """Count of first packets beyond the rate limit since the rules were installed. Raises ReadError."""
        return self._table.read_counter(CUT_COUNTER)
