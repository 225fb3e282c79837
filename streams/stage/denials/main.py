"""The denials stage: denials.raw to denials, ahead of the flows that count them."""

from schemas.schema import read_schema
from schemas.topic import DEAD_LETTER, DENIALS, DENIALS_RAW
from streams.denial.counters import DenialCounters
from streams.denial.processor import DenialProcessor, DenialStage
from streams.source.intake.processor import IntakeCounters, Source
from streams.source.part import PartDecoder
from streams.source.reader import LogReader
from streams.stage.application.main import application
from streams.stage.main import Built, Process

_STAGE = "denials"


def build(process: Process) -> Built:
    """Everything of it, not started."""
    settings = process.settings
    process.need_names()
    topic = process.name(DENIALS_RAW)
    counters = DenialCounters(process.registry)
    writer = process.writer(_STAGE, (DENIALS, DEAD_LETTER))
    source = Source(
        cluster=settings.cluster,
        stage=_STAGE,
        decoders={topic: PartDecoder(read_schema(DENIALS_RAW.schema))},
        log=LogReader(settings.kafka, process.progress_group(_STAGE)),
        writer=writer,
        counters=IntakeCounters(counters.refused, counters.skipped, counters.refused_share),
        share=process.share(topic),
    )
    app, topics = application(process, _STAGE, [topic])
    intake = DenialProcessor(DenialStage(settings.cluster, source, writer, process.names, counters)).intake
    intake.register(app, topics)
    return Built(app, intake)
