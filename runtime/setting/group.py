"""What all groups of settings have alike."""

from typing import Annotated

import msgspec

Secret = Annotated[str, msgspec.Meta(extra={"is_secret": True})]
"""May be given by a file too, as Kubernetes mounts it: ``CONNTRAIL_<GROUP>__<NAME>_FILE``."""


class Group(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One group of settings; an unknown key is an error."""
