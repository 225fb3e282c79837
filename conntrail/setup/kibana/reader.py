"""Reads source/*.yaml, which is part of this package."""

import json
from collections.abc import Iterator
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any

import msgspec
import yaml

from conntrail.setup.kibana.model import Source


def read_source() -> Source:
    """Everything that is made. Raises msgspec.ValidationError with the path of what is wrong."""
    place = files("conntrail.setup.kibana") / "source"
    content = {name: _load(place / f"{name}.yaml") for name in ("views", "fields", "searches", "rules")}
    content["dashboards"] = sorted(map(_load, _below(place / "dashboards")), key=lambda page: page["order"])
    content["vega"] = {found.name.removesuffix(".yaml"): json.dumps(_load(found)) for found in _below(place / "vega")}
    return msgspec.convert(content, Source)


def _below(folder: Traversable) -> Iterator[Traversable]:
    return (found for found in folder.iterdir() if found.name.endswith(".yaml"))


def _load(file: Traversable) -> Any:
    return yaml.safe_load(file.read_text(encoding="utf-8"))
