"""The settings page of the documentation, made from the settings themselves so that it cannot say otherwise."""

import ast
from collections.abc import Iterable
from typing import Any, Final, Literal, get_args, get_origin

import msgspec

from runtime.secret import SUFFIX, is_secret
from runtime.settings import CONFIG_VARIABLE, PREFIX, Settings
from runtime.unit import Bytes, Seconds

_HEAD: Final = f"""\
# Settings

Environment variables, or the same names in a TOML file named by `{CONFIG_VARIABLE}` (`[kafka]`, `partitions = 6`); the
environment wins. An unknown name or a value of the wrong type is an error that names it. Durations are written `10s`,
`500ms`, `2m`; sizes `64KiB`, `16MiB`.

This page is made by `python -m runtime > docs/settings.md`.
"""
_SECONDS: Final = (("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1))
_BYTES: Final = (("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10))
Words = dict[str, dict[str, str]]
"""What is said of each class's fields, and under an empty name of the class itself."""


def modules() -> tuple[str, ...]:
    """Names of the modules that define settings."""
    groups = [type(field.default) for field in msgspec.structs.fields(Settings)]
    names = [Settings.__module__, *(kind.__module__ for kind in groups if issubclass(kind, msgspec.Struct))]
    return tuple(dict.fromkeys(names))


def page(sources: Iterable[str]) -> str:
    """Markdown of all settings. ``sources``: the texts of the modules that define them, since only those hold what is
    said under each field. Raises KeyError, naming it, for a field of which nothing is said.
    """
    words = {name: said for source in sources for name, said in _words(source).items()}
    sections = [_HEAD]
    for field in msgspec.structs.fields(Settings):
        if isinstance(field.default, msgspec.Struct):
            sections.append(_group(field.name, type(field.default), words))
        else:
            name = _variable(field.name)
            said = words[Settings.__name__][field.name]
            sections.append(f"`{name}` (default {_value(field.default)}): {said}\n")
    return "\n".join(sections)


def _group(name: str, kind: type[msgspec.Struct], words: Words) -> str:
    said = words[kind.__name__]
    rows = [
        f"| `{_variable(name, field.name)}` | {_value(field.default)} "
        f"| {said[field.name]}{_choices(field.type)}{_file(name, field)} |"
        for field in msgspec.structs.fields(kind)
    ]
    return "\n".join([f"## {said[''].rstrip('.')}", "", "| variable | default | meaning |", "|---|---|---|", *rows, ""])


def _variable(*names: str) -> str:
    return PREFIX + "__".join(names).upper()


def _value(default: Any) -> str:
    """As it would be written in the environment."""
    if isinstance(default, Seconds):
        text = next((f"{default / size:g}{unit}" for unit, size in _SECONDS if default % size == 0), f"{default:g}s")
    elif isinstance(default, Bytes):
        text = next((f"{default // size}{unit}" for unit, size in _BYTES if default % size == 0), str(int(default)))
    else:
        text = str(default).lower() if isinstance(default, bool) else str(default)
    return f"`{text}`" if text else "empty"


def _choices(kind: Any) -> str:
    if get_origin(kind) is not Literal:
        return ""
    return " One of " + ", ".join(f"`{choice}`" for choice in get_args(kind)) + "."


def _file(group: str, field: msgspec.structs.FieldInfo) -> str:
    if not is_secret(field.type):
        return ""
    return f" A secret: `{_variable(group, field.name)}{SUFFIX.upper()}` names a file that holds it instead."


def _words(source: str) -> Words:
    classes = [node for node in ast.parse(source).body if isinstance(node, ast.ClassDef)]
    return {node.name: {"": _line(ast.get_docstring(node) or "")} | _fields(node) for node in classes}


def _fields(node: ast.ClassDef) -> dict[str, str]:
    found = {}
    for field, said in zip(node.body, node.body[1:], strict=False):
        if not (isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name)):
            continue
        if isinstance(said, ast.Expr) and isinstance(said.value, ast.Constant):
            found[field.target.id] = _line(str(said.value.value))
    return found


def _line(text: str) -> str:
    return " ".join(text.split()).replace("``", "`").replace("|", "\\|")
