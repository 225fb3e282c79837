"""Modules that the small distribution lacks and its makers publish as libraries: ES|QL, and KQL in the query DSL.

A module is a folder of archives and a description (Elasticsearch, "Creating classic plugins"). Pure.
"""

from dataclasses import dataclass
from typing import Final

VERSION: Final = "8.19.21"
_ELASTICSEARCH: Final = "org.elasticsearch.plugin"
_PARSER: Final = "org.antlr:antlr4-runtime:4.13.1"
_KQL: Final = f"{_ELASTICSEARCH}:x-pack-kql:{VERSION}"


@dataclass(frozen=True, slots=True)
class Module:
    """One folder below ``modules``."""

    name: str
    class_name: str
    extends: tuple[str, ...]
    coordinates: tuple[str, ...]
    """Its archives; what the modules that it extends have is theirs."""

    def description(self) -> str:
        """Text of its plugin-descriptor.properties."""
        values = {
            "description": self.name,
            "name": self.name,
            "classname": self.class_name,
            "version": VERSION,
            "elasticsearch.version": VERSION,
            "java.version": "17",
            "extended.plugins": ",".join(self.extends),
        }
        return "".join(f"{name}={value}\n" for name, value in values.items())


MODULES: Final = (
    Module(
        "x-pack-esql-core",
        "org.elasticsearch.xpack.esql.core.plugin.EsqlCorePlugin",
        ("x-pack-core",),
        (
            f"{_ELASTICSEARCH}:x-pack-esql-core:{VERSION}",
            f"{_ELASTICSEARCH}:x-pack-mapper-version:{VERSION}",
            _PARSER,
        ),
    ),
    Module("x-pack-kql", "org.elasticsearch.xpack.kql.KqlPlugin", ("x-pack-core",), (_KQL, _PARSER)),
    Module(
        "x-pack-esql",
        "org.elasticsearch.xpack.esql.plugin.EsqlPlugin",
        ("x-pack-core", "x-pack-esql-core"),
        (
            *(f"{_ELASTICSEARCH}:{name}:{VERSION}" for name in ("x-pack-esql", "x-pack-esql-compute")),
            *(f"{_ELASTICSEARCH}:{name}:{VERSION}" for name in ("x-pack-esql-compute-ann", "arrow")),
            f"org.elasticsearch:elasticsearch-dissect:{VERSION}",
            _KQL,
        ),
    ),
)
COORDINATES: Final = tuple(dict.fromkeys(name for module in MODULES for name in module.coordinates))
