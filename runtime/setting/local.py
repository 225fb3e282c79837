"""Settings of the stack on one machine."""

from runtime.setting.group import Group


class LocalSettings(Group, frozen=True):
    """Kafka and Elasticsearch on this machine, for trying out and for tests."""

    data_directory: str = ""
    """Where the stack is kept; empty means a directory of the user's data, for root ``/var/lib/conntrail/local``."""
    repository: str = ""
    """Base URL of a Maven repository to fetch them from; empty means Maven Central."""
