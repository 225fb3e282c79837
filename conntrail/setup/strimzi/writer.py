"""Writes Strimzi's resources into files, for kubectl or an overlay to apply."""

from pathlib import Path
from typing import Any, Final

import yaml

from conntrail.errors import CommandError
from conntrail.setup.strimzi.manifest import topic_manifests, user_manifests
from runtime.settings import Settings
from schemas.role import ROLES
from schemas.topic import TOPICS

_HEAD: Final = "# Made by: conntrail setup --write-strimzi DIRECTORY\n"


def write_strimzi(directory: Path, settings: Settings) -> None:
    """topics.yaml, users.yaml, and what lets an overlay take them in. Raises CommandError if they cannot be written."""
    files = {
        "topics.yaml": topic_manifests(TOPICS, settings.kafka),
        "users.yaml": user_manifests(ROLES, settings.kafka, settings.access),
    }
    overlay = {"apiVersion": "kustomize.config.k8s.io/v1beta1", "kind": "Kustomization", "resources": list(files)}
    files["kustomization.yaml"] = [overlay]
    try:
        directory.mkdir(parents=True, exist_ok=True)
        for name, manifests in files.items():
            (directory / name).write_text(_text(manifests), encoding="utf-8")
    except OSError as error:
        raise CommandError(f"{error.filename or directory} cannot be written: {error.strerror}") from error


def _text(manifests: list[dict[str, Any]]) -> str:
    return _HEAD + yaml.safe_dump_all(manifests, sort_keys=False, explicit_start=True)
