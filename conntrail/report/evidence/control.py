"""Which requirements a section is evidence for. It helps an assessor to look in the right place, and decides nothing.

Sources: PCI DSS v4.0.1 (requirements 1, 10, 11), AICPA Trust Services Criteria 2017 (revised 2022),
ISO/IEC 27001:2022 Annex A.
"""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Control:
    """A question of an audit, where it comes from, and the sections that answer it."""

    question: str
    requirements: str
    sections: tuple[str, ...]


CONTROLS: Final = (
    Control(
        "Which connections are there, and does each have a rule that allows it?",
        "PCI DSS 1.2.4, 1.2.5; SOC 2 CC6.1; ISO 27001 A.8.20, A.8.21",
        ("traffic", "policies"),
    ),
    Control(
        "Is traffic from and to untrusted networks restricted to what is needed?",
        "PCI DSS 1.3.1, 1.3.2, 1.4.2; SOC 2 CC6.6",
        ("workloads", "traffic", "denials"),
    ),
    Control(
        "Are networks segregated, and does the segregation work?",
        "PCI DSS 1.4.1, 11.4.5; SOC 2 CC6.6; ISO 27001 A.8.22",
        ("unprotected", "workloads", "drift", "denials"),
    ),
    Control(
        "Are services and ports in use that are insecure?",
        "PCI DSS 1.2.6; SOC 2 CC6.7",
        ("traffic",),
    ),
    Control(
        "Who changed the rules, and was each change authorised?",
        "PCI DSS 1.2.2, 6.5.1; SOC 2 CC8.1; ISO 27001 A.8.32",
        ("changes", "requests"),
    ),
    Control(
        "Which rules are in use, as a review of them asks?",
        "PCI DSS 1.2.7; ISO 27001 A.8.20",
        ("policies",),
    ),
    Control(
        "Is what happens on the network watched, and are gaps of that noticed?",
        "PCI DSS 10.7.2; SOC 2 CC7.2; ISO 27001 A.8.15, A.8.16",
        ("unseen", "denials", "drift"),
    ),
    Control(
        "Are records protected against change, and is a change detected?",
        "PCI DSS 10.3.2, 10.3.4; ISO 27001 A.8.15",
        (),
    ),
)
