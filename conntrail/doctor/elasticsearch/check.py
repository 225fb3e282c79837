"""What is needed of Elasticsearch."""

from typing import Final

from conntrail.doctor import clock
from conntrail.doctor.finding import Check

SERVER: Final = Check(
    "elasticsearch",
    "server",
    "the past: conntrail observe keeps to what Kafka still has, Kibana shows nothing",
    "check CONNTRAIL_ELASTICSEARCH__… and that it runs",
)
VERSION: Final = Check("elasticsearch", "version", "what our client and templates ask of it", "run Elasticsearch 8.19")
TEMPLATES: Final = Check(
    "elasticsearch",
    "templates",
    "mappings of fields: workers make no index without them",
    "run conntrail setup",
)
ACCESS: Final = Check(
    "elasticsearch",
    "access",
    "what this role does there",
    "run conntrail setup --access, which makes a key with each role's privileges",
)
CLOCK: Final = Check("elasticsearch", "clock", clock.LOST, clock.REMEDY)
CHECKS: Final = (SERVER, VERSION, TEMPLATES, ACCESS, CLOCK)
