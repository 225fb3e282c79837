"""Errors of the agents.

AgentError
├── ReadError      the kernel, procfs or the API server did not give what was asked
├── WriteError     Kafka, nftables or a file did not take what was given
└── RightsError    a right is missing; the message names it
"""


class AgentError(Exception):
    """Something that the agent cannot mend by itself; the message is one line that says what to do."""


class ReadError(AgentError):
    """The kernel, procfs or the API server did not give what was asked."""


class WriteError(AgentError):
    """Kafka, nftables or a file did not take what was given."""


class RightsError(AgentError):
    """A right is missing; the message names it."""
