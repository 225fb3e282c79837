"""Policies as YAML in which every rule stands under the evidence for it, and as JSON.

Names come from whoever made them: no comment ends where they want it to.
"""

import json
from collections.abc import Iterable, Iterator
from typing import Any, Final

import yaml

from conntrail.policy.recommend.dialect import Dialect, Manifest
from conntrail.policy.recommend.draft import Draft, Opening
from conntrail.policy.recommend.evidence import many
from conntrail.text import printable
from streams.policy.question import Direction

_SHOWN: Final = 8
_LABELS: Final = {"app.kubernetes.io/managed-by": "conntrail"}
_EVIDENCE: Final = "conntrail.io/evidence"
"""Where JSON says what YAML has comments for."""
_DIRECTIONS: Final[tuple[Direction, ...]] = ("ingress", "egress")
_AMBIGUOUS: Final = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null", "inf", "nan"})
_WORDS: Final = {"ingress": "from", "egress": "to"}


def yaml_text(drafts: Iterable[Draft], dialect: Dialect, *, is_staged: bool) -> str:
    """Documents that ``kubectl apply -f`` takes."""
    return "".join(f"---\n{_document(draft, dialect, is_staged=is_staged)}" for draft in drafts)


def manifests(drafts: Iterable[Draft], dialect: Dialect, *, is_staged: bool) -> Iterator[Manifest]:
    """The same as objects, the evidence in an annotation."""
    for draft in drafts:
        found = _head(draft, dialect, is_staged=is_staged)
        evidence = {_EVIDENCE: "; ".join(_summary(draft))}
        metadata = {**found["metadata"], "annotations": {**found["metadata"].get("annotations", {}), **evidence}}
        sides = {
            direction: [rule for _, rules in _sides(draft, dialect, direction) for rule in rules]
            for direction in _DIRECTIONS
        }
        yield {**found, "metadata": metadata, "spec": {**found["spec"], **sides}}


def json_text(found: Iterable[Manifest]) -> str:
    """One document."""
    return json.dumps({"apiVersion": "v1", "kind": "List", "items": list(found)}, ensure_ascii=False, indent=2) + "\n"


def comment(lines: Iterable[str], indent: int = 0) -> str:
    """Lines that are no part of the objects."""
    return "".join(f"{' ' * indent}# {printable(line)}\n" for line in lines)


def _document(draft: Draft, dialect: Dialect, *, is_staged: bool) -> str:
    parts = [comment(_summary(draft)), _yaml(_head(draft, dialect, is_staged=is_staged))]
    for direction in _DIRECTIONS:
        sides = list(_sides(draft, dialect, direction))
        if not any(rules for _, rules in sides):
            parts += [comment([f"nothing was seen {_WORDS[direction]} anybody"], 2), f"  {direction}: []\n"]
            continue
        parts.append(f"  {direction}:\n")
        for reasons, rules in sides:
            parts += [comment(reasons, 4), _indented(_yaml(rules), 4)]
    return "".join(parts)


def _sides(draft: Draft, dialect: Dialect, direction: Direction) -> Iterator[tuple[Iterable[str], list[Any]]]:
    openings: tuple[Opening, ...] = draft.ingress if direction == "ingress" else draft.egress
    for opening in openings:
        yield opening.reasons, dialect.rules(opening, direction, draft.group.namespace)
    if not openings and dialect.nothing:
        yield [f"nothing was seen {_WORDS[direction]} anybody"], list(dialect.nothing)


def _head(draft: Draft, dialect: Dialect, *, is_staged: bool) -> Manifest:
    """Everything but the rules; the spec comes last."""
    metadata = {"name": draft.name, "namespace": draft.group.namespace, "labels": dict(_LABELS)}
    found: Manifest = {
        "apiVersion": dialect.api_version,
        "kind": dialect.kind,
        "metadata": metadata,
        "spec": dialect.subject(draft.group.selection),
    }
    if not is_staged:
        return found
    assert dialect.staged is not None, "the command refuses it"
    return dialect.staged(found)


def _summary(draft: Draft) -> Iterator[str]:
    group, evidence = draft.group, draft.evidence
    names = [f"{namespace}/{name} ({kind})" for namespace, kind, name in group.workloads]
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    figures = f"{many(evidence.peers, 'peer')}; {many(group.present, 'pod')} now"
    yield f"{', '.join(names[:_SHOWN])}{more}: {evidence}, {figures}"
    if len(names) > 1:
        yield "these share their labels, so no policy can tell them apart: what one of them needs, all may"
    if group.selected_too:
        shown = ", ".join(group.selected_too[:_SHOWN])
        yield f"selects pods of {shown} too: their labels do not tell them apart"
    if not group.present:
        yield "none of its pods is there now: its labels are those that flows showed"


_BASE: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)


class _Dumper(_BASE):  # type: ignore[misc]  # the fast one is there where the library was built with it
    """Quotes what other readers of YAML take for a number or a truth value, such as the label values 1e3 and y."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002 - the library's signature
        """What is there twice is written twice, as people would."""
        return True


def _quoted(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    is_plain = text[:1].isalpha() and text.lower() not in _AMBIGUOUS
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=None if is_plain else "'")


_Dumper.add_representer(str, _quoted)


def _yaml(value: Any) -> str:
    return str(yaml.dump(value, Dumper=_Dumper, sort_keys=False, default_flow_style=False, width=120))


def _indented(text: str, indent: int) -> str:
    return "".join(f"{' ' * indent}{line}" for line in text.splitlines(keepends=True))
