"""The alerts stage: windows, denials, exchanges and changes to alerts."""

from runtime.settings import SettingsError
from schemas.topic import ALERT_STATE
from streams.alert.desk import TOPICS
from streams.alert.lease.reader import Lease
from streams.alert.log.reader import StateReader
from streams.alert.metrics import AlertMetrics
from streams.alert.processor import AlertService, AlertStage
from streams.alert.rule.reader import read_rules
from streams.alert.settings import AlertSettings
from streams.alert.signal.reader import SignalReader
from streams.alert.writer import AlertWriter
from streams.stage.main import Built, Process

_STAGE = "alerts"
_SHOWN_FAULTS = 3


def build(process: Process) -> Built:
    """Everything of it, not started. Raises SettingsError for rules that are none."""
    settings = process.settings
    parsed = read_rules(settings.alerts.rules)
    if parsed.faults:
        shown = "; ".join(str(fault) for fault in parsed.faults[:_SHOWN_FAULTS])
        raise SettingsError(f"CONNTRAIL_ALERTS__RULES: {shown}")
    for topic in (*TOPICS, ALERT_STATE):
        process.name(topic)
    service = AlertService(
        AlertStage(
            cluster=settings.cluster,
            rules=parsed.rules,
            settings=AlertSettings(
                cluster=settings.cluster,
                learning_seconds=settings.alerts.learning,
                effect_seconds=settings.alerts.effect,
            ),
            lease=Lease(settings.kafka, process.group(_STAGE), process.identity),
            state=StateReader(settings.kafka, process.schemas),
            signals=SignalReader(settings.kafka, process.schemas, TOPICS),
            writer=AlertWriter(settings.kafka, settings.cluster, process.registration),
            metrics=AlertMetrics(process.registry),
            share=process.share("the records of which alerts are made"),
        )
    )
    return Built(service, service)
