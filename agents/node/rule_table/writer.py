"""Puts the logging rules into the node's network namespace with the nft program, and takes them out again."""

import json
import subprocess

from agents.errors import ReadError, RightsError, WriteError
from agents.node.namespace.reader import entered

_PATIENCE_SECONDS = 20.0
"""nft waits for the kernel's transaction lock, which a firewall agent may hold for seconds."""


class RuleTable:
    """One nftables table of ours, of family inet and without verdicts, in the network namespace at ``netns``
    (empty: this one).

    On trial the kernel checks what it would be given, and takes nothing: a table of a running agent is left alone.
    """

    def __init__(self, netns: str, name: str, *, is_trial: bool = False) -> None:
        self._netns = netns
        self._name = name
        self._nft = ["nft", "--check"] if is_trial else ["nft"]
        self.is_installed = False
        """By this object; a table that an earlier process left does not count."""

    def install(self, script: str) -> None:
        """Put the table in place, replacing in one transaction whatever an earlier process left.

        Raises WriteError when nft is absent or refuses, RightsError without CAP_NET_ADMIN.
        """
        self._run([*self._nft, "-f", "-"], script)
        self.is_installed = True

    def remove(self) -> None:
        """Take the table away; one that is gone already is no error."""
        self._run([*self._nft, "-f", "-"], f"add table inet {self._name}\ndelete table inet {self._name}\n")

    def read_counter(self, counter: str) -> int:
        """Packets that a named counter has seen since the rules were installed.

        Raises ReadError when the table is gone: someone flushed the ruleset.
        """
        try:
            answer = self._run(["nft", "--json", "list", "counter", "inet", self._name, counter], "")
            objects = json.loads(answer)["nftables"]
            return int(next(entry["counter"]["packets"] for entry in objects if "counter" in entry))
        except (WriteError, ValueError, KeyError, StopIteration) as error:
            raise ReadError(
                f"nftables table inet {self._name} is not there any more; was the ruleset flushed?"
            ) from error

    def _run(self, command: list[str], script: str) -> str:
        try:
            with entered(self._netns):
                done = subprocess.run(
                    command, input=script, capture_output=True, text=True, timeout=_PATIENCE_SECONDS, check=False
                )
        except FileNotFoundError as error:
            raise WriteError("the nft program is missing: install the package nftables") from error
        except (OSError, subprocess.TimeoutExpired) as error:
            raise WriteError(f"nft did not finish: {error}") from error
        if done.returncode == 0:
            return done.stdout
        reason = (done.stderr.strip() or f"exit {done.returncode}").splitlines()[0]
        if "Operation not permitted" in done.stderr:
            raise RightsError("nftables rules need CAP_NET_ADMIN in the node's network namespace")
        raise WriteError(f"nft: {reason}")
