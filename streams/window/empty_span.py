"""The record that says of a partition and time span that nothing is there any more.

Whoever keeps results drops those of lower revisions of a span; that it became empty has to be told by something.
"""

from schemas.schema import blank_record, read_schema
from schemas.topic import Topic
from streams.window.flow import Row, Stamp


def empty_span(topic: Topic, stamp: Stamp) -> Row:
    """A record of the topic without an id, with nothing in it but its place."""
    return {
        **blank_record(read_schema(topic.schema)),
        "revision": stamp.revision,
        "replaces": stamp.replaces,
        "cluster": stamp.cluster,
        "partition": stamp.partition,
        "timestamp_ns": stamp.end_ns,
    }
