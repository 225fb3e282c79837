"""Errors of this package.

SchemaError
└── DecodeError   bytes are not what their topic promises
"""


class SchemaError(Exception):
    """A record does not fit its schema, or a schema is unknown."""


class DecodeError(SchemaError):
    """Bytes are not what their topic promises; the message says where they go wrong."""
