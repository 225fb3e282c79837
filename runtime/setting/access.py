"""Settings of who is given the roles of an installation."""

from typing import Annotated, Final

import msgspec

from runtime.setting.group import Group

ROLE: Final = "{role}"


class AccessSettings(Group, frozen=True):
    """Whom ``conntrail setup --access`` gives the roles of docs/security.md."""

    user: Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9._=-]*\{role\}[A-Za-z0-9._=-]*$", max_length=100)] = (
        f"conntrail-{ROLE}"
    )
    """How a role's user is called in Kafka, and its role and API key in Elasticsearch; ``{role}`` stands for the role's
    name, as in ``conntrail-node-agent``. Kafka users that show a certificate are called ``CN=conntrail-{role}``."""

    def user_of(self, role: str) -> str:
        """Its user's name."""
        return self.user.replace(ROLE, role)
