"""What is needed of Kafka."""

from typing import Final

from conntrail.doctor.finding import Check

SERVER: Final = Check(
    "kafka", "server", "everything: all parts meet in Kafka", "check CONNTRAIL_KAFKA__… and that it runs"
)
TOPICS: Final = Check(
    "kafka", "topics", "records of these topics: who writes them waits, who reads them gets none", "run conntrail setup"
)
ACCESS: Final = Check(
    "kafka",
    "access",
    "what this role does there",
    "run conntrail setup --access, which gives each role's user its access control lists",
)
CHECKS: Final = (SERVER, TOPICS, ACCESS)
