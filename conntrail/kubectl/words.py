"""What was typed behind ``kubectl conntrail``, taken apart. Pure.

Options that kubectl has everywhere may stand anywhere; the rest are words of ``conntrail``.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from conntrail.doctor.finding import AREAS
from conntrail.kubectl.errors import KubectlError

COMMANDS: Final = ("observe", "policy", "alerts", "doctor")
_VALUED: Final = ("--context", "--kubeconfig", "--installation")
_NAMESPACE: Final = ("-n", "--namespace")
_EVERYWHERE: Final = ("-A", "--all-namespaces")
_END: Final = "--"


@dataclass(frozen=True, slots=True)
class Call:
    """A command and which cluster it is about."""

    words: tuple[str, ...] = ()
    """For ``conntrail``, its command first."""
    context: str = ""
    kubeconfig: str = ""
    installation: str = ""
    """Namespace that Conntrail is installed in; empty: wherever it is found."""
    is_everywhere: bool = False
    """In all namespaces, rather than in the context's."""
    namespace: str = ""
    """As typed before the command; behind it, it is one of the command's own options."""

    @property
    def kubectl(self) -> tuple[str, ...]:
        """The beginning of commands of kubectl on this cluster."""
        context = ("--context", self.context) if self.context else ()
        return ("kubectl", *context, *(("--kubeconfig", self.kubeconfig) if self.kubeconfig else ()))

    def behind(self, count: int, *options: str) -> "Call":
        """With options behind the first words, where they are before whatever negates what follows it."""
        return replace(self, words=(*self.words[:count], *options, *self.words[count:]))


def parse_call(typed: Sequence[str]) -> Call:
    """Raises KubectlError for an option without its value."""
    is_everywhere, found, rest, words = False, dict[str, str](), list(typed), list[str]()
    while rest:
        word = rest.pop(0)
        name, separator, value = word.partition("=")
        if word == _END:
            words += [word, *rest]
            break
        if word in _EVERYWHERE:
            is_everywhere = True
        elif name in _VALUED or (name in _NAMESPACE and not words):
            if not separator and not rest:
                raise KubectlError(f"{name} needs a value")
            found[name] = value if separator else rest.pop(0)
        else:
            words.append(word)
    context, kubeconfig, installation = (found.get(name, "") for name in _VALUED)
    namespace = next((found[name] for name in _NAMESPACE if name in found), "")
    return Call(tuple(words), context, kubeconfig, installation, is_everywhere, namespace)


def has_option(words: Sequence[str], *names: str) -> bool:
    """Whether one of these options was typed, with its value behind it or attached."""
    return any(_is_option(word, name) for word in words for name in names)


def has_area(words: Sequence[str]) -> bool:
    """Whether an area of ``doctor`` was typed, rather than the value of an option."""
    return not set(AREAS).isdisjoint(words)


def _is_option(word: str, name: str) -> bool:
    is_long = name.startswith("--")
    return word.partition("=")[0] == name or (not is_long and word.startswith(name) and not word.startswith("--"))
