"""Reads the environment and the configuration file. The only place that does."""

import os
import tomllib
from pathlib import Path
from typing import Any

from runtime.settings import CONFIG_VARIABLE, Settings, SettingsError, load_settings


def read_settings() -> Settings:
    """Settings of this process. Raises SettingsError with one line that names what is wrong."""
    return load_settings(os.environ, _read_document(os.environ.get(CONFIG_VARIABLE, "")))


def _read_document(path: str) -> dict[str, Any]:
    if not path:
        return {}
    try:
        return tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError(f"{CONFIG_VARIABLE}={path}: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{CONFIG_VARIABLE}={path}: not TOML: {error}") from error
