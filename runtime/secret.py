"""Which settings are secrets: a file may hold each instead, so that no environment and no manifest shows it. Pure."""

from typing import Annotated, Any, Final, get_args, get_origin

import msgspec

from runtime.settings import Settings

SUFFIX: Final = "_file"
"""Behind the setting's name: that of the file."""


def is_secret(kind: Any) -> bool:
    """Whether a field of this type is one."""
    if get_origin(kind) is not Annotated:
        return False
    marks = (mark.extra or {} for mark in get_args(kind)[1:] if isinstance(mark, msgspec.Meta))
    return any(mark.get("is_secret", False) for mark in marks)


def secrets() -> tuple[tuple[str, str], ...]:
    """Group and name of each."""
    return tuple(
        (group.name, field.name)
        for group in msgspec.structs.fields(Settings)
        if isinstance(group.default, msgspec.Struct)
        for field in msgspec.structs.fields(type(group.default))
        if is_secret(field.type)
    )
