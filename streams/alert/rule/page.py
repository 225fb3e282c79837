"""The page of the documentation on rules, made from what rules can say so that it cannot say otherwise."""

from collections.abc import Mapping
from typing import Final

from streams.alert.rule.builtin import builtin_rules
from streams.alert.rule.measure import SIGNALS, Measure

_HEAD: Final = """\
# Rules of alerts

A file of rules is YAML: a list, or a mapping whose `rules` is one. A rule of a name that ships with the worker replaces
that one. Every fault of a file is told with its line; a faulty file is refused as a whole.

```yaml
- id: too-many-denials          # lower case, digits, hyphens; part of the alert's identity
  title: Too many denials
  category: policy              # policy, connectivity, exposure, dns, http, tcp, node or pipeline
  severity: medium              # low, medium, high or critical
  signal: edge                  # what it is about: see the measures below
  when: denied >= 50 and destination_namespace in ["data", "billing"] and not worked
  until: works                  # optional: what proves the contrary, and resolves at once
  window: 2m                    # of sums and distinct counts, 10m at most; 1m when not given
  for: 30s                      # optional: over how much time `when` must be seen to hold, without a gap of a window
  clear: 5m                     # resolved after so long without `when`; 5m when not given
  group_by: [source, mode]      # optional: subjects that share these measures are one alert …
  group_at: 3                   # … from so many on; 3 when not given
  text: "{source} is denied {denied} times by {destination}:{port}"
  group_text: "{source} is denied by {members} destinations"   # optional; also {group}, the shared values
  inhibits:                     # optional: alerts that this one makes needless, where these measures are the same
    - {rule: policy-denied, same: [source]}
  runbook: Whom to ask, what to do.
  learns: true                  # optional: says nothing in the learning period, while baselines fill
  enabled: true                 # optional
```

## Conditions

A measure that is yes or no stands for itself. Others are compared: `== != < <= > >=` with a number, `==` and `!=` with
a quoted text, `in [a, b]`, `not in [a, b]`, `like "*.example"` (`*` and `?` as in a shell). They are joined by `and`,
`or`, `not` and brackets. What is not known meets no comparison, `!=` included. Texts name measures in braces, and
nothing else.

## Measures

Sums and distinct counts are those of the rule's window. Ratios are from 0 to 1. A `…_rise` is the present value over
its own baseline, and not known before that is.
"""


def page() -> str:
    """Markdown."""
    sections = [_HEAD, *(_signal(name, measures) for name, measures in SIGNALS.items()), _rules()]
    return "\n".join(sections)


def _signal(name: str, measures: Mapping[str, Measure]) -> str:
    rows = [f"| `{key}` | {measure.kind} | {measure.doc}{_choices(measure)} |" for key, measure in measures.items()]
    return "\n".join([f"### `{name}`", "", "| measure | is a | meaning |", "|---|---|---|", *rows, ""])


def _choices(measure: Measure) -> str:
    choices = [f"`{choice}`" for choice in measure.choices if choice]
    return f" One of {', '.join(choices)}." if choices else ""


def _rules() -> str:
    rows = [
        f"| `{rule.id}` | {rule.severity} | {rule.title} | `{str(rule.when).replace('|', chr(92) + '|')}` |"
        for rule in builtin_rules()
    ]
    return "\n".join(["## Rules that ship", "", "| rule | severity | says | when |", "|---|---|---|---|", *rows, ""])
