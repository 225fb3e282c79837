"""Errors of the agents.

AgentError
├── ReadError      the kernel, procfs or the API server did not give what was asked
│   ├── ConflictError  somebody else changed the object meanwhile
│   ├── ExpiredError   the API server does not remember so far back; list again
│   ├── MissingError   the API server has no such object or kind
│   └── RefusedError   the API server will never take what was sent
├── WriteError     Kafka, nftables or a file did not take what was given
└── RightsError    a right is missing; the message names it
"""


class AgentError(Exception):
    """Something that the agent cannot mend by itself; the message is one line that says what to do."""


class ReadError(AgentError):
    """The kernel, procfs or the API server did not give what was asked."""


class ConflictError(ReadError):
    """Somebody else changed the object meanwhile."""


class ExpiredError(ReadError):
    """The API server does not remember so far back; list again."""


class MissingError(ReadError):
    """The API server has no such object or kind."""


class RefusedError(ReadError):
    """The API server will never take what was sent."""


class WriteError(AgentError):
    """Kafka, nftables or a file did not take what was given."""


class RightsError(AgentError):
    """A right is missing; the message names it."""
