"""The flows stage: flows.raw to flows, windows and policy.hits."""

from runtime.settings import Settings, SettingsError
from schemas.schema import read_schema
from schemas.topic import DEAD_LETTER, FLOWS, FLOWS_RAW, NODES, POLICY_HITS, WINDOWS
from streams.source.intake.processor import IntakeCounters, Source
from streams.source.part import PartDecoder
from streams.source.reader import LogReader
from streams.stage.application.main import application
from streams.stage.main import Built, Process
from streams.window.counters import FlowCounters
from streams.window.processor import FlowProcessor, FlowStage
from streams.window.spans import Spans

_STAGE = "flows"
_NS_PER_SECOND = 1_000_000_000


def build(process: Process) -> Built:
    """Raise SettingsError when windows are no whole number of steps."""
    settings = process.settings
    process.need_names()
    topic = process.name(FLOWS_RAW)
    counters = FlowCounters(process.registry)
    writer = process.writer(_STAGE, (FLOWS, WINDOWS, POLICY_HITS, NODES, DEAD_LETTER))
    source = Source(
        cluster=settings.cluster,
        stage=_STAGE,
        decoders={topic: PartDecoder(read_schema(FLOWS_RAW.schema))},
        log=LogReader(settings.kafka, process.progress_group(_STAGE)),
        writer=writer,
        counters=IntakeCounters(counters.refused, counters.skipped, counters.refused_share),
        share=process.share(topic),
    )
    stage = FlowStage(settings.cluster, _spans(settings), source, writer, process.names, counters)
    app, topics = application(process, _STAGE, [topic])
    intake = FlowProcessor(stage).intake
    intake.register(app, topics)
    return Built(app, intake)


def _spans(settings: Settings) -> Spans:
    window = settings.window
    step = min(window.step, window.size)
    try:
        return Spans(
            size_ns=int(window.size * _NS_PER_SECOND),
            step_ns=int(step * _NS_PER_SECOND),
            grace_ns=int(window.grace * _NS_PER_SECOND),
        )
    except ValueError as error:
        raise SettingsError(f"CONNTRAIL_WINDOW__SIZE and CONNTRAIL_WINDOW__STEP: {error}") from error
