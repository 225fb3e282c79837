"""The rules that show packets for their payload, in place in the node's network namespace."""

from agents.errors import WriteError
from agents.node.payload.ruleset import APPLICATION_COUNTER, DNS_COUNTER, TABLE, Groups, Selection, render_ruleset
from agents.node.rule_table.writer import RuleTable


class PayloadRules:
    """Our table of payloads."""

    def __init__(
        self,
        netns: str,
        groups: Groups,
        dns: Selection | None,
        application: Selection | None,
        *,
        is_trial: bool = False,
    ) -> None:
        """``is_trial``: nothing is put in place, see RuleTable."""
        self._table = RuleTable(netns, TABLE, is_trial=is_trial)
        self._groups = groups
        self._dns = dns
        self._application = application
        self.refusal = ""
        """Why the rules of applications could not be installed, though those of DNS were."""
        self.is_sampled = False
        """Whether the rules show answers in the group of those that are timed by their reading."""

    @property
    def is_installed(self) -> bool:
        """By this object; a table that an earlier process left does not count."""
        return self._table.is_installed

    def install(self, *, is_sampled: bool = True) -> None:
        """Put the table in place; where the kernel does not read first bytes (Linux before 5.16), DNS alone.

        Raises WriteError when nft is absent or refuses, RightsError without the right.
        """
        self.refusal, self.is_sampled = "", is_sampled
        groups = self._groups if is_sampled else Groups(self._groups.payload, None)
        try:
            self._table.install(render_ruleset(groups, self._dns, self._application))
        except WriteError as error:
            if self._application is None or self._dns is None:
                raise
            self._table.install(render_ruleset(groups, self._dns, None))
            self.refusal = str(error)

    def remove(self) -> None:
        """Take the table away; one that is gone already is no error."""
        self._table.remove()

    def read_cut(self) -> tuple[int, int]:
        """Packets of DNS and of applications beyond their limits since the rules were installed. Raises ReadError."""
        return self._table.read_counter(DNS_COUNTER), self._table.read_counter(APPLICATION_COUNTER)
