"""What is needed of a schema registry, where there is one."""

from typing import Final

from conntrail.doctor.finding import Check

SERVER: Final = Check(
    "registry",
    "server",
    "records that carry the registry's frame: nobody can write or read them",
    "check CONNTRAIL_SCHEMA_REGISTRY__… and that it runs",
)
SCHEMAS: Final = Check("registry", "schemas", "records of these topics: their writers wait", "run conntrail setup")
CHECKS: Final = (SERVER, SCHEMAS)
