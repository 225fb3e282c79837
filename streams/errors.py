"""Errors of the stream processors.

StreamError
├── ReadError      Kafka or Elasticsearch did not give what was asked
└── WriteError     Kafka or Elasticsearch did not take what was given
"""


class StreamError(Exception):
    """A processor cannot go on; the message is one line that says what to do."""


class ReadError(StreamError):
    """Kafka or Elasticsearch did not give what was asked."""


class WriteError(StreamError):
    """Kafka or Elasticsearch did not take what was given."""
