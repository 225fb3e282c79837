"""Asks kubectl about a cluster: it has the credentials, plug-ins and proxies of the kubeconfig."""

import json
import shutil
import subprocess
from collections.abc import Iterable, Mapping
from typing import Any, Final

from conntrail.kubectl.errors import KubectlError
from conntrail.kubectl.installation import AGENT_LABELS, PART_LABELS, SETTINGS_LABELS
from conntrail.kubectl.words import Call

_PATIENCE_SECONDS: Final = 60.0
_MAXIMUM_WORDS: Final = 300
_DEFAULT_NAMESPACE: Final = "default"


class Kubectl:
    """On one cluster."""

    def __init__(self, call: Call) -> None:
        self._call = call

    def namespace(self) -> str:
        """The context's namespace."""
        context = self._view("--minify").get("contexts")
        inner = context[0].get("context", {}) if isinstance(context, list) and context else {}
        return str(inner.get("namespace") or _DEFAULT_NAMESPACE)

    def kubeconfig(self) -> str:
        """A kubeconfig of this context alone, with all that it refers to, secrets too."""
        return json.dumps(self._view("--minify", "--flatten", "--raw"))

    def settings(self) -> list[Any]:
        """ConfigMaps of the settings of installations."""
        return self._list("configmaps", SETTINGS_LABELS)

    def parts(self) -> list[Any]:
        """Pods of installations."""
        return self._list("pods", PART_LABELS)

    def cluster_agents(self) -> list[Any]:
        """Pods of cluster agents."""
        return self._list("pods", AGENT_LABELS)

    def contexts(self) -> list[str]:
        """Names of the kubeconfig's contexts."""
        return self._run("config", "get-contexts", "--output=name").split()

    def resources(self) -> set[str]:
        """``plural.group`` of what can be listed here; the core group's without a dot.

        One aggregated API that is away, of metrics, say, makes kubectl fail after it has told of all others.
        """
        words = ("api-resources", "--verbs=list", "--output=name", "--request-timeout=30s")
        return set(self._run(*words, may_be_part=True).split())

    def objects(self, resources: Iterable[str]) -> Mapping[str, Any]:
        """All objects of these resources, in all namespaces, as one List."""
        return self._json("get", ",".join(resources), "--all-namespaces")

    def names(self, resource: str) -> list[str]:
        """Names of objects that are in no namespace."""
        return [line.rpartition("/")[2] for line in self._run("get", resource, "--output=name").split()]

    def _list(self, resource: str, labels: str) -> list[Any]:
        own = self._call.installation
        where = ("--namespace", own) if own else ("--all-namespaces",)
        found = self._json("get", resource, *where, "--selector", labels).get("items")
        return found if isinstance(found, list) else []

    def _view(self, *options: str) -> dict[str, Any]:
        return self._json("config", "view", *options)

    def _json(self, *words: str) -> dict[str, Any]:
        try:
            found = json.loads(self._run(*words, "--output=json"))
        except ValueError as error:
            raise KubectlError(f"kubectl {words[0]} answers no JSON") from error
        return found if isinstance(found, dict) else {}

    def _run(self, *words: str, may_be_part: bool = False) -> str:
        command = [*self._call.kubectl, *words]
        if shutil.which(command[0]) is None:
            raise KubectlError("kubectl is not installed, or not on the PATH")
        try:
            done = subprocess.run(
                command,
                capture_output=True,
                text=True,
                timeout=_PATIENCE_SECONDS,
                check=False,
                stdin=subprocess.DEVNULL,
            )
        except subprocess.TimeoutExpired as error:
            raise KubectlError(f"kubectl {words[0]} does not answer within {_PATIENCE_SECONDS:.0f} s") from error
        if done.returncode and not (may_be_part and done.stdout):
            lines = done.stderr.split("\n")
            told = next((line.strip() for line in reversed(lines) if line.strip()), f"exit {done.returncode}")
            raise KubectlError(f"kubectl {' '.join(words[:2])}: {told[:_MAXIMUM_WORDS]}")
        return done.stdout
