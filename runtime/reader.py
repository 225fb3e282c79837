"""Reads the environment, the configuration file, and files that settings name. The only place that does."""

import os
import ssl
import tomllib
from pathlib import Path
from typing import Any

from runtime.secret import SUFFIX, secrets
from runtime.settings import CONFIG_VARIABLE, PREFIX, Settings, SettingsError, load_settings

_MAXIMUM_SECRET = 64 << 10


def read_settings() -> Settings:
    """Settings of this process. Raises SettingsError with one line that names what is wrong."""
    environ = dict(os.environ)
    document = _read_document(environ.get(CONFIG_VARIABLE, ""))
    for group, name in secrets():
        variable = f"{PREFIX}{group}__{name}".upper()
        _read_secret(variable, environ, variable)
        values = document.get(group)
        if isinstance(values, dict):
            _read_secret(variable, values, name)
    return load_settings(environ, document)


def certificates(setting: str, path: str) -> ssl.SSLContext:
    """Trust in what a PEM file holds, or in the system's certificates without a path.

    Raises SettingsError, naming the setting, when the file is of no use.
    """
    try:
        return ssl.create_default_context(cafile=path or None)
    except OSError as error:
        raise SettingsError(
            f"{setting}={path}: no file with certificates in PEM form ({error.strerror or error})"
        ) from error


def _read_secret(variable: str, values: dict[str, Any], name: str) -> None:
    """Put what the file holds in place of its name. Raises SettingsError, which never tells of the content."""
    own = SUFFIX if name.islower() else SUFFIX.upper()
    path = values.pop(name + own, "")
    if not path:
        return
    setting = f"{variable}{SUFFIX.upper()}={path}"
    if values.get(name):
        raise SettingsError(f"{setting}: {variable} is set too: set one of them")
    try:
        with Path(path).open(encoding="utf-8") as file:
            text = file.read(_MAXIMUM_SECRET + 1).strip("\r\n")
    except OSError as error:
        raise SettingsError(f"{setting}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise SettingsError(f"{setting}: not text in UTF-8") from error
    if not text or len(text) > _MAXIMUM_SECRET:
        raise SettingsError(f"{setting}: expected one secret of at most {_MAXIMUM_SECRET} characters")
    values[name] = text


def _read_document(path: str) -> dict[str, Any]:
    if not path:
        return {}
    try:
        return tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError(f"{CONFIG_VARIABLE}={path}: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{CONFIG_VARIABLE}={path}: not TOML: {error}") from error
