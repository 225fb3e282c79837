"""What ``kubectl conntrail --help`` prints."""

from collections.abc import Sequence
from typing import Final

HELP: Final = """\
Usage: kubectl conntrail COMMAND [ARGS] [OPTIONS]

What talks to what in the cluster of your kubeconfig, which policy allowed or denied it, and why.

Commands:
  observe   Flows, DNS and application exchanges of the past, from Elasticsearch.
  policy    What network policies say, with what was seen.
  alerts    What is wrong, since when and why.
  doctor    What Conntrail needs of the cluster, whether it is there, and what to do.

Options, anywhere among the words:
  -n, --namespace NAME    Instead of the context's namespace.
  -A, --all-namespaces    All of them.
  --context NAME          Of the kubeconfig; default: the current one.
  --kubeconfig PATH       Default: as kubectl does.
  --installation NAME     Namespace that Conntrail is installed in; default: where it is found.

`kubectl conntrail COMMAND --help` tells the options of a command.

Examples: kubectl conntrail observe --verdict denied --since 1h
          kubectl conntrail policy unused -A
          kubectl conntrail alerts list --context prod
          kubectl conntrail doctor
"""
_WORDS: Final = ("-h", "--help", "help")


def is_help(typed: Sequence[str]) -> bool:
    """Nothing, or a question for help before any command."""
    return not typed or typed[0] in _WORDS
