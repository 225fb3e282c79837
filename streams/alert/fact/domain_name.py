"""What a name looks like: its registered domain, its entropy, whether it is a step of a search path."""

import math
from collections import Counter
from typing import Final

_SECOND_LEVELS: Final = frozenset({"ac", "co", "com", "edu", "gob", "gov", "mil", "ne", "net", "or", "org"})
"""Below a country's domain of two letters these are registries themselves. The whole list of public suffixes is not
needed: a coarser domain only gathers more names."""
_COUNTRY: Final = 2
_NOTABLE_LENGTH: Final = 12
_RANDOM_ENTROPY: Final = 3.2
"""Bits a character. Of 12 and more letters words stay below 3.2 mostly; generated names are above."""
_RANDOM_VOWELS: Final = 0.3
"""Share of vowels below which letters are no word of most languages; English has 0.38."""


def registered_domain(name: str) -> str:
    """The part that somebody registered: two labels, three below such as co.uk."""
    labels = name.split(".")
    is_deep = len(labels) > _COUNTRY and len(labels[-1]) == _COUNTRY and labels[-2] in _SECOND_LEVELS
    return ".".join(labels[-3:] if is_deep else labels[-2:])


def entropy(text: str) -> float:
    """Shannon's, bits a character."""
    if not text:
        return 0.0
    return -sum(count / len(text) * math.log2(count / len(text)) for count in Counter(text).values())


def looks_generated(domain: str) -> bool:
    """Whether the label that was registered is long and like no word."""
    label = domain.partition(".")[0].replace("-", "")
    if len(label) < _NOTABLE_LENGTH or label.startswith("xn"):
        return False
    letters = [sign for sign in label if sign.isalpha()]
    vowels = sum(sign in "aeiouy" for sign in letters)
    has_digits = len(letters) < len(label) - _COUNTRY
    return entropy(label) >= _RANDOM_ENTROPY and (has_digits or vowels < _RANDOM_VOWELS * len(letters))


def is_internal(name: str, cluster_domain: str) -> bool:
    """Of the cluster's own zone, or of no zone at all."""
    return (
        "." not in name or name == cluster_domain or name.endswith((f".{cluster_domain}", ".in-addr.arpa", ".ip6.arpa"))
    )


def relatives(name: str, namespace: str, cluster_domain: str) -> set[str]:
    """Every name that a pod may have asked its resolver for when the resolver asked for this one."""
    suffixes = (f".{namespace}.svc.{cluster_domain}", f".svc.{cluster_domain}", f".{cluster_domain}")
    return {name, *(name.removesuffix(suffix) for suffix in suffixes if name.endswith(suffix))}


def is_step(missed: str, found: set[str], namespace: str, cluster_domain: str) -> bool:
    """Whether a name that is not there is a step of a search path to one that was found.

    ``found``: relatives of the names that were. Search domains that are not the cluster's follow a name that was found.
    """
    if not relatives(missed, namespace, cluster_domain).isdisjoint(found):
        return True
    labels = missed.split(".")
    return any(".".join(labels[:count]) in found for count in range(2, len(labels)))


def is_expansion(missed: str, cluster_domain: str) -> bool:
    """Whether a name in the cluster's zone can be nothing but an expansion: no Service has dots in its name."""
    suffix = f".svc.{cluster_domain}"
    if not missed.endswith(suffix):
        return missed.endswith(f".{cluster_domain}")
    return missed.removesuffix(suffix).count(".") != 1
