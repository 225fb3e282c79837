"""The whole system on this machine: stack, lab, agents, worker, traffic, findings; and everything taken down again."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

from conntrail.alerts.reader import NoticeTopics
from conntrail.demo.edge import Comparison, compare
from conntrail.demo.question import QUESTIONS, Question
from conntrail.demo.reader import Drain, Findings
from conntrail.errors import CommandError
from conntrail.lab.main import Lab
from conntrail.local.main import Stack, StackOptions
from conntrail.setup.main import set_up
from conntrail.system.child import Plan
from conntrail.system.writer import System
from runtime.settings import ElasticsearchSettings, KafkaSettings, Settings
from schemas.topic import ALERTS

Progress = Callable[[str], None]
_SPANS: Final = {
    "WINDOW__SIZE": "10s",
    "WINDOW__STEP": "2s",
    "WINDOW__GRACE": "3s",
    "AGENT__INTERVAL": "2s",
    "ALERTS__EFFECT": "10s",
}
"""Short spans, so that a demo of half a minute has windows to show."""
_PARTITIONS: Final = 3
_DRAIN_SECONDS: Final = 90.0
_LOOK_SECONDS: Final = 0.5


@dataclass(frozen=True, slots=True)
class Found:
    """One table of the findings."""

    question: Question
    rows: list[list[str]]


@dataclass(frozen=True, slots=True)
class Running:
    """Everything that runs, and how to reach it."""

    directory: Path
    settings: Settings
    lab: Lab
    system: System

    def environment(self) -> dict[str, str]:
        """Variables that lead other commands here."""
        return {
            "CONNTRAIL_KAFKA__BOOTSTRAP_SERVERS": self.settings.kafka.bootstrap_servers,
            "CONNTRAIL_ELASTICSEARCH__HOSTS": self.settings.elasticsearch.hosts,
        }

    def await_results(self, until_ms: int) -> None:
        """Wait until what agents sent before an instant is final and indexed. Raises CommandError after long."""
        drain = Drain(self.settings.kafka)
        deadline = time.monotonic() + _DRAIN_SECONDS
        while not drain.is_done(until_ms):
            self.system.check()
            if time.monotonic() > deadline:
                raise CommandError(f"results were not complete after {_DRAIN_SECONDS:.0f} s; logs: {self.directory}")
            time.sleep(_LOOK_SECONDS)

    def find(self) -> Iterator[Found]:
        """The tables."""
        findings = Findings(self.settings.elasticsearch.hosts)
        answers = findings.ask((question.index, question.body()) for question in QUESTIONS)
        for question, answer in zip(QUESTIONS, answers, strict=True):
            yield Found(question, [list(row) for row in question.rows(answer)])

    def alerts(self) -> list[Mapping[str, Any]]:
        """The last word on each, the latest first."""
        topics = NoticeTopics(self.settings)
        topics.read(ALERTS)
        return [word.alert for word in topics.notices.book.alerts()]


@contextmanager
def running(directory: Path, progress: Progress) -> Iterator[Running]:
    """Start everything; on the way out, whatever happened, end it in order."""
    with ExitStack() as stack:
        progress("starting Kafka and Elasticsearch")
        local = Stack(StackOptions(data_directory=directory / "stack", is_tied=True), progress)
        stack.callback(local.down, is_wiped=True)
        addresses = local.up()
        settings = Settings(
            kafka=KafkaSettings(bootstrap_servers=addresses.bootstrap_servers, partitions=_PARTITIONS),
            elasticsearch=ElasticsearchSettings(hosts=addresses.hosts),
        )
        progress("creating topics and index templates")
        set_up(settings, is_dry=False)
        progress("building the lab cluster")
        lab = Lab(directory / "lab", is_tied=True)
        stack.callback(lab.down)
        lab.up()
        plan = Plan(
            directory=directory,
            cluster_directory=lab.cluster_directory,
            nodes=lab.nodes,
            audit_log=lab.audit_path,
            settings={
                **_SPANS,
                "KAFKA__BOOTSTRAP_SERVERS": addresses.bootstrap_servers,
                "ELASTICSEARCH__HOSTS": addresses.hosts,
            },
        )
        system = System(plan)
        stack.callback(system.stop)
        system.start(progress)
        yield Running(directory, settings, lab, system)


def show_traffic(everything: Running, duration_seconds: float, progress: Progress) -> None:
    """Run the lab's traffic, change a policy in its middle, and wait for the results."""
    lab = everything.lab
    progress("trying out a staged policy: shop/payment-inside")
    lab.apply(_manifest("staged"))
    with ThreadPoolExecutor(1, "traffic") as pool:
        traffic = pool.submit(lab.traffic, duration_seconds, progress)
        if _goes_on(traffic, duration_seconds / 2):
            progress("applying a policy while traffic runs: shop/frontend")
            lab.apply(_manifest("change"))
        traffic.result()
    progress("waiting for the last windows")
    everything.await_results(int(time.time() * 1000))


def enforce_recommended(everything: Running, duration_seconds: float, progress: Progress) -> Comparison:
    """Recommend policies from what was seen, enforce them, and let the same traffic run again."""
    lab, path = everything.lab, everything.directory / "recommended.yaml"
    progress("recommending policies from what was seen")
    path.write_text(_recommended(everything), encoding="utf-8")
    progress(f"enforcing them: {path.read_text(encoding='utf-8').count('kind: NetworkPolicy')} policies")
    lab.apply(path)
    before = lab.truth()
    lab.traffic(duration_seconds, progress)
    return compare(before, lab.truth()[len(before) :])


def _recommended(everything: Running) -> str:
    """As a user gets them. Raises CommandError with the command's own words."""
    words = ["policy", "recommend", "--since", "1h", "--keep-icmp", "--skip-unprovable"]
    done = subprocess.run(
        [sys.executable, "-m", "conntrail", *words],
        env={**os.environ, **everything.environment()},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        *_, reason = ["no word of why", *done.stderr.splitlines()]
        raise CommandError(f"conntrail {' '.join(words)} failed: {reason}")
    return done.stdout


def _goes_on(traffic: Future[None], seconds: float) -> bool:
    """Whether traffic has not failed after so many seconds."""
    with suppress(TimeoutError):
        traffic.result(timeout=seconds)
    return not traffic.done()


def _manifest(name: str) -> Path:
    return Path(str(files("conntrail.demo").joinpath("manifests", f"{name}.yaml")))
