"""``python -m tests.support.observe_cost ours|bare kafka|elasticsearch``: reads all flows, and tells what that took.

The last line of standard error: CPU seconds without the start of the process, the most MiB resident, and how many.
"""

import json
import re
import sys
import time
from collections.abc import Callable
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Final

from confluent_kafka import Consumer, TopicPartition
from elasticsearch import Elasticsearch
from elasticsearch.helpers import scan

from conntrail.observe.command import app
from runtime.reader import read_settings
from schemas.single_object import codec_of
from schemas.topic import FLOWS

_PAGE: Final = 1000
_BATCH: Final = 500


class _Lines(StringIO):
    """Standard output that is counted, not kept."""

    count = 0

    def write(self, text: str) -> int:
        self.count += text.count("\n")
        return len(text)


def ours(source: str) -> int:
    """As people run it."""
    with redirect_stdout(_Lines()) as lines:
        app(["--source", source, "--since", "2020-01-01", "-o", "jsonl"], standalone_mode=False)
    return lines.count


def bare(source: str) -> int:
    """The peer."""
    settings = read_settings()
    if source == "elasticsearch":
        with Elasticsearch(settings.elasticsearch.hosts) as client:
            index = f"logs-conntrail.flow-{settings.elasticsearch.namespace}-*"
            wanted = {"query": {"match_all": {}}, "sort": ["@timestamp"]}
            return sum(1 for _ in scan(client, query=wanted, index=index, size=_PAGE, preserve_order=True))
    topic = FLOWS.full_name(settings.kafka.topic_prefix)
    consumer = Consumer(
        {"bootstrap.servers": settings.kafka.bootstrap_servers, "group.id": "bare", "enable.partition.eof": True}
    )
    unread = set(consumer.list_topics(topic).topics[topic].partitions)
    consumer.assign([TopicPartition(topic, number, 0) for number in unread])
    count, decode = 0, codec_of(FLOWS.schema).decode
    while unread:
        for message in consumer.consume(_BATCH, 1):
            if message.error() is None:
                decode(message.value())
                count += 1
            else:
                unread.discard(message.partition())
    consumer.close()
    return count


def _most_resident_kib() -> int:
    """Of this program alone; what getrusage tells begins with the parent's."""
    found = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text(encoding="ascii"))
    assert found is not None
    return int(found[1])


def main() -> None:
    """Run one side."""
    side: Callable[[str], int] = {"ours": ours, "bare": bare}[sys.argv[1]]
    before = time.process_time()
    count = side(sys.argv[2])
    figures = {
        "seconds": time.process_time() - before,
        "mebibytes": _most_resident_kib() / 1024,
        "records": count,
    }
    sys.stderr.write(json.dumps(figures) + "\n")


if __name__ == "__main__":
    main()
