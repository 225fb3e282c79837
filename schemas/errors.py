"""Errors of this package.

SchemaError
├── DecodeError             bytes are not what their topic promises
│   └── UnknownSchemaError  framed with a registry's id that is not known yet
└── RegistryError           the schema registry refuses
    └── RegistryAwayError   the schema registry does not answer, which may pass
"""


class SchemaError(Exception):
    """A record does not fit its schema, or a schema is unknown."""


class DecodeError(SchemaError):
    """Bytes are not what their topic promises; the message says where they go wrong."""


class UnknownSchemaError(DecodeError):
    """A record is framed with a registry's id that its codec has not been told of."""

    def __init__(self, registry_id: int) -> None:
        super().__init__(f"the schema registry's id {registry_id} is not known")
        self.registry_id = registry_id


class RegistryError(SchemaError):
    """The schema registry refuses; the message is one line that says what to do."""


class RegistryAwayError(RegistryError):
    """The schema registry does not answer; the message is one line that says what to do. It may pass."""
