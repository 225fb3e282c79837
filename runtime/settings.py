"""Settings: what may be set, of which type, and how environment and TOML become one value.

Pure: the environment and the file arrive as mappings (runtime/reader.py reads them). A setting is named
``CONNTRAIL_<GROUP>__<NAME>`` in the environment and ``[group] name`` in TOML; the environment wins.
All processes share one set of names, so that a name unknown to all of them is surely a mistake.
The groups stand in runtime/setting/, and are to be had here.
"""

import re
from collections.abc import Mapping
from typing import Any

import msgspec

from runtime.setting.access import AccessSettings
from runtime.setting.agent import AgentSettings, TextTreatment
from runtime.setting.alert import AlertSettings, ApiSettings
from runtime.setting.cluster import AuditSettings, ClusterSettings
from runtime.setting.connection import ElasticsearchSettings, KafkaSettings, KibanaSettings, SchemaRegistrySettings
from runtime.setting.index import IndexSettings
from runtime.setting.local import LocalSettings
from runtime.setting.process import HttpSettings, LogSettings
from runtime.setting.stream import WindowSettings, WorkerSettings
from runtime.unit import Bytes, Seconds

__all__ = [
    "CONFIG_VARIABLE", "PREFIX", "AccessSettings", "AgentSettings", "AlertSettings", "ApiSettings", "AuditSettings",
    "ClusterSettings", "ElasticsearchSettings", "HttpSettings", "IndexSettings", "KafkaSettings", "KibanaSettings",
    "LocalSettings", "LogSettings", "SchemaRegistrySettings", "Settings", "SettingsError", "TextTreatment",
    "WindowSettings", "WorkerSettings", "load_settings",
]  # fmt: skip
PREFIX = "CONNTRAIL_"
CONFIG_VARIABLE = "CONNTRAIL_CONFIG"


class SettingsError(Exception):
    """A setting is unknown or has an unusable value; the message names it and says what is expected."""


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Everything that can be set. Processes pass on only the group that a part needs."""

    cluster: str = "default"
    """Name of the cluster, in every record and document."""
    kafka: KafkaSettings = KafkaSettings()
    elasticsearch: ElasticsearchSettings = ElasticsearchSettings()
    kibana: KibanaSettings = KibanaSettings()
    schema_registry: SchemaRegistrySettings = SchemaRegistrySettings()
    access: AccessSettings = AccessSettings()
    http: HttpSettings = HttpSettings()
    log: LogSettings = LogSettings()
    agent: AgentSettings = AgentSettings()
    cluster_agent: ClusterSettings = ClusterSettings()
    audit: AuditSettings = AuditSettings()
    api: ApiSettings = ApiSettings()
    alerts: AlertSettings = AlertSettings()
    window: WindowSettings = WindowSettings()
    worker: WorkerSettings = WorkerSettings()
    index: IndexSettings = IndexSettings()
    local: LocalSettings = LocalSettings()


def load_settings(environ: Mapping[str, str], document: Mapping[str, Any]) -> Settings:
    """Merge a TOML document and environment variables into settings.

    Raises SettingsError, naming the setting, when one is unknown or of the wrong type.
    """
    merged: dict[str, Any] = {
        key: dict(value) if isinstance(value, Mapping) else value for key, value in document.items()
    }
    for variable, text in sorted(environ.items()):
        if not variable.startswith(PREFIX) or variable == CONFIG_VARIABLE:
            continue
        group, separator, name = variable.removeprefix(PREFIX).lower().partition("__")
        if separator:
            values = merged.setdefault(group, {})
            if not isinstance(values, dict):
                raise SettingsError(f"{variable}: {group} is a single setting, not a group")
            values[name] = text
        else:
            merged[group] = text
    try:
        return msgspec.convert(merged, Settings, strict=False, dec_hook=_convert)
    except msgspec.ValidationError as error:
        raise SettingsError(_name_setting(str(error))) from None


def _convert(kind: type, value: object) -> object:
    if kind in (Seconds, Bytes):
        if isinstance(value, kind):
            return value
        return kind.parse(str(value))
    raise NotImplementedError(kind)


def _name_setting(message: str) -> str:
    """Turn msgspec's path (``$.kafka.partitions``) into the name that the user typed."""
    text, _, path = message.partition(" - at `$")
    parts = [part for part in path.rstrip("`").split(".") if part]
    unknown = re.search(r"unknown field `([^`]+)`", text)
    if unknown:
        name = PREFIX + "__".join([*parts, unknown[1]]).upper()
        return f"{name}: unknown setting; see the settings page of the documentation for the names"
    named = re.match(r"`(\w+)` ", text)  # by a group that holds its values against each other
    if named:
        parts, text = [*parts, named[1]], text[named.end() :]
    return f"{PREFIX}{'__'.join(parts).upper()}: {text[:1].lower()}{text[1:]}"
