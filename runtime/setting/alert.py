"""Settings of alerts, and of the API that serves them."""

from runtime.setting.address import is_loopback, require_address
from runtime.setting.group import Group, Secret
from runtime.unit import Seconds


class ApiSettings(Group, frozen=True):
    """The HTTP API of alerts and silences, served by a worker's stage ``subscriptions``."""

    address: str = "127.0.0.1:0"
    """``host:port``; port 0 takes a free one, which is logged. Beyond loopback it needs a token."""
    address_file: str = ""
    """File to which the chosen address is written, for whoever started the process with port 0."""
    token: Secret = ""
    """Bearer token that clients show (``Authorization: Bearer …``). Empty means that none is asked for."""
    certificate: str = ""
    """PEM file of the server's certificate, with its chain. Empty means no encryption: then let a proxy do it, since
    whoever listens on the way reads the token."""
    key: str = ""
    """PEM file of the certificate's key."""

    def __post_init__(self) -> None:
        """Raise ValueError for an API that anybody could ask."""
        if bool(self.certificate) != bool(self.key):
            raise ValueError("`key` must be given with a certificate, and only then")
        require_address("address", self.address)
        if not is_loopback(self.address) and not self.token:
            raise ValueError("`address` beyond loopback needs CONNTRAIL_API__TOKEN")


class AlertSettings(Group, frozen=True):
    """Alerts, and who is told of them."""

    rules: str = ""
    """YAML file, or directory of such files, of rules of your own; a rule of the same id replaces a built-in one."""
    learning: Seconds = Seconds(3600.0)
    """From the first start on: rules about what is new or rises say nothing for so long."""
    effect: Seconds = Seconds(120.0)
    """Edges that stop or start working so soon after a policy's change are its effect, which is told when twice that
    has passed: windows of that time must be final by then. Shorter tells sooner, longer holds more edges to be its."""
    receivers: str = ""
    """TOML file of the receivers to which a worker's stage ``deliveries`` sends alerts; empty means none."""
