"""Reads the environment, the configuration file, and files that settings name. The only place that does."""

import os
import ssl
import tomllib
from pathlib import Path
from typing import Any

from runtime.settings import CONFIG_VARIABLE, Settings, SettingsError, load_settings


def read_settings() -> Settings:
    """Settings of this process. Raises SettingsError with one line that names what is wrong."""
    return load_settings(os.environ, _read_document(os.environ.get(CONFIG_VARIABLE, "")))


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


def _read_document(path: str) -> dict[str, Any]:
    if not path:
        return {}
    try:
        return tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError(f"{CONFIG_VARIABLE}={path}: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{CONFIG_VARIABLE}={path}: not TOML: {error}") from error
