"""Decides what of an exchange's texts leaves the node: as they are, as keyed hashes, or not at all."""

from hashlib import blake2b
from typing import Final

from agents.node.application.head import RequestHead
from agents.node.application.options import ApplicationOptions, Treatment

_HASH_BYTES: Final = 8
_KEY_BYTES: Final = 32


class Disguise:
    """Treats texts as the options ask."""

    def __init__(self, options: ApplicationOptions) -> None:
        self._options = options
        self._key = blake2b(options.hash_key, digest_size=_KEY_BYTES).digest()
        self._is_plain = {options.hosts, options.user_agents, options.request_ids} == {Treatment.KEEP}

    def head(self, head: RequestHead) -> RequestHead:
        """The head without what is not to be told; its path comes later, as a template."""
        if self._is_plain:
            return head
        return head._replace(
            host=self.host(head.host),
            user_agent=self._treat(head.user_agent, self._options.user_agents),
            request_id=self._treat(head.request_id, self._options.request_ids),
        )

    def host(self, host: str) -> str:
        """A host or server name."""
        return self._treat(host, self._options.hosts)

    def path(self, template: str) -> str:
        """A path template."""
        return self._treat(template, self._options.paths)

    def _treat(self, text: str, treatment: Treatment) -> str:
        if treatment is Treatment.KEEP or not text:
            return text
        if treatment is Treatment.DROP:
            return ""
        return blake2b(text.encode(), key=self._key, digest_size=_HASH_BYTES).hexdigest()
