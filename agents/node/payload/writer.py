"""The rules that show packets for their payload, in place in the node's network namespace."""

from agents.errors import WriteError
from agents.node.payload.ruleset import APPLICATION_COUNTER, DNS_COUNTER, TABLE, Selection, render_ruleset
from agents.node.rule_table.writer import RuleTable


class PayloadRules:
    """Our table of payloads."""

    def __init__(self, netns: str, group: int, dns: Selection | None, application: Selection | None) -> None:
        self._table = RuleTable(netns, TABLE)
        self._group = group
        self._dns = dns
        self._application = application
        self.refusal = ""
        """Why the rules of applications could not be installed, though those of DNS were."""

    @property
    def is_installed(self) -> bool:
        """By this object; a table that an earlier process left does not count."""
        return self._table.is_installed

    def install(self) -> None:
        """Put the table in place; where the kernel does not read first bytes (Linux before 5.16), DNS alone.

        Raises WriteError when nft is absent or refuses, RightsError without the right.
        """
        self.refusal = ""
        try:
            self._table.install(render_ruleset(self._group, self._dns, self._application))
        except WriteError as error:
            if self._application is None or self._dns is None:
                raise
            self._table.install(render_ruleset(self._group, self._dns, None))
            self.refusal = str(error)

    def remove(self) -> None:
        """Take the table away; one that is gone already is no error."""
        self._table.remove()

    def read_cut(self) -> tuple[int, int]:
        """Packets of DNS and of applications beyond their limits since the rules were installed. Raises ReadError."""
        return self._table.read_counter(DNS_COUNTER), self._table.read_counter(APPLICATION_COUNTER)
