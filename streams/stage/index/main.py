"""The index stage: results to Elasticsearch."""

from runtime.reader import certificates
from runtime.settings import Settings, SettingsError
from schemas.topic import DEAD_LETTER
from streams.index.counters import IndexCounters
from streams.index.dataset import NS_PER_SECOND
from streams.index.documents import TOPICS
from streams.index.notable.book import EdgeBook
from streams.index.notable.writer import NotableFlows
from streams.index.processor import IndexProcessor, IndexStage
from streams.index.writer import IndexWriter
from streams.source.reader import LogReader
from streams.stage.application.main import application
from streams.stage.main import Built, Process

_STAGE = "index"


def build(process: Process) -> Built:
    """Raise SettingsError when there is no Elasticsearch to index to."""
    settings = process.settings
    if not settings.elasticsearch.hosts:
        raise SettingsError("CONNTRAIL_ELASTICSEARCH__HOSTS is empty: name the stages to run without the index")
    if settings.elasticsearch.ca_certs:
        certificates("CONNTRAIL_ELASTICSEARCH__CA_CERTS", settings.elasticsearch.ca_certs)
    counters = IndexCounters(process.registry)
    index = IndexWriter(settings.elasticsearch, counters)
    stage = IndexStage(
        cluster=settings.cluster,
        namespace=settings.elasticsearch.namespace,
        topics={process.name(topic): topic for topic in TOPICS},
        log=LogReader(settings.kafka, process.progress_group(_STAGE)),
        registry=process.schemas,
        index=index,
        dead_letters=process.writer(_STAGE, (DEAD_LETTER,)),
        counters=counters,
        notable=_notable(settings, index),
        share=process.share("the results"),
    )
    app, topics = application(process, _STAGE, stage.topics)
    processor = IndexProcessor(stage)
    processor.register(app, topics)
    return Built(app, processor)


def _notable(settings: Settings, index: IndexWriter) -> NotableFlows | None:
    if settings.index.flows == "all":
        return None
    window_ns = round(settings.window.size * NS_PER_SECOND)
    kept_ns = round(settings.index.keep_window * NS_PER_SECOND)
    book = EdgeBook(settings.index.edges, window_ns, kept_ns)
    return NotableFlows(index, book, settings.cluster, settings.elasticsearch.namespace)
