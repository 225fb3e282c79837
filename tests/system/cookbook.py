"""``python -m tests.system.cookbook`` runs the lab and renews what the documentation shows of it.

That is the answers on the page of questions, and the pictures of what Vega draws in Kibana.
"""

import tempfile
from pathlib import Path
from typing import Final

from tests.support.cookbook import PAGE, Answer, Elasticsearch, questions, renewed
from tests.support.eventful import eventful_run
from tests.support.kibana.asked import Asked
from tests.support.kibana.vega import SIZES, picture
from tests.support.observed import Observed
from tests.support.stack import running_stack

_SHOWN: Final = PAGE.parent / "kibana"
PICTURES: Final = {
    "conntrail-graph": _SHOWN / "service-graph.png",
    "conntrail-namespaces": _SHOWN / "namespaces.png",
}


def main() -> None:
    """As root, like every run of the lab."""
    with (
        tempfile.TemporaryDirectory() as directory,
        running_stack() as stack,
        eventful_run(stack, Path(directory)) as run,
    ):
        PAGE.write_text(renewed(answers_of(run)), encoding="utf-8")
        asked = Asked(run.settings.elasticsearch.hosts, run.settings.elasticsearch.namespace)
        for panel, answered in asked.graphs():
            PICTURES[panel.page].write_bytes(picture(answered, *SIZES[panel.page]))


def answers_of(run: Observed) -> dict[str, Answer]:
    """By title of the question."""
    settings = run.settings.elasticsearch
    asked = Elasticsearch(settings.hosts, settings.namespace)
    asked.refresh()
    return {question.title: asked.ask(question) for question in questions()}


if __name__ == "__main__":
    main()
