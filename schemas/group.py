"""Consumer groups, without the prefix that all names of an installation begin with.

Of a group that is only *named* nothing is kept: a client of librdkafka asks for the coordinator of whatever group it
names, also where it is told its partitions and commits nothing.
"""

from typing import Final

from schemas.topic import Topic

CLUSTER_AGENT: Final = "cluster-agent"
"""Named by who reads back what was published."""
CLUSTER_AGENT_ALERTS: Final = "cluster-agent-alerts"
"""Holds which alerts were told as Events."""
ALERT_SIGNALS: Final = "alert-signals"
"""Named: positions are part of the state of alerts."""
ALERT_STATE: Final = "alert-state"
"""Named."""
OBSERVE: Final = "observe"
"""Named by ``conntrail observe``."""
POLICY: Final = "policy"
"""Named by ``conntrail policy``."""
COMPLETION: Final = "completion"
"""Named while a shell completes names."""


def worker_group(stage: str) -> str:
    """Whose members share the partitions of a stage's topics."""
    return f"worker-{stage}"


def progress_group(stage: str) -> str:
    """Holds how far results are final. It has no members."""
    return f"{worker_group(stage)}-progress"


def reader_group(topic: Topic) -> str:
    """Named by who reads all of a compacted topic."""
    return f"reader-{topic.name}"
