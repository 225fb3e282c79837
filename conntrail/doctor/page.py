"""The page of the documentation on findings, made of what the command uses. Pure."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from agents.cluster.right import rights_of
from agents.node.capability.right import RIGHTS
from conntrail.doctor.cluster import check as cluster
from conntrail.doctor.elasticsearch import check as elasticsearch
from conntrail.doctor.finding import STATES, Check
from conntrail.doctor.kafka import check as kafka
from conntrail.doctor.node import check as node
from conntrail.doctor.registry import check as registry

CHECKS: Final = (*node.CHECKS, *cluster.CHECKS, *kafka.CHECKS, *elasticsearch.CHECKS, *registry.CHECKS)
_HEAD: Final = """\
# What Conntrail needs, and whether it is there

This page is made by `python -m conntrail.doctor > docs/doctor.md`.

```
conntrail doctor                          # what is found here: a node, a cluster, the back ends that settings name
conntrail doctor node                     # one area, or several
conntrail doctor --role worker            # with a process's own settings: may it do all that it does?
conntrail doctor cluster --service-account conntrail/conntrail-cluster-agent
conntrail doctor -o json                  # a list of {area, check, state, found}, with lost and remedy where not ok
```

It changes nothing. On a node it asks by the agent's own parts, so that its findings are the capability record that an
agent logs there (`what this node can see`) and shows as `conntrail_agent_capability`: rules are checked by the kernel
and not put in place, and a running agent keeps its log groups. A setting of the kernel that an agent would switch on
counts as ok. The conntrack table is read once, as by an agent at its start.

Exit status 0: nothing is missing; 1: something is; 2: wrong usage. In a pod it uses the settings that are there:
`kubectl exec ds/conntrail-agent -- conntrail doctor --role node-agent`.
"""
_ROLES: Final = """\
## Roles

Without `--role` it is told for which roles the credentials of Kafka and Elasticsearch suffice. With it each
operation, group or privilege that is refused is a finding of its own, and the areas are those that the role uses.
Kafka tells nobody which transactions are allowed, so those are not tried, and not what time it has: only
Elasticsearch's and the API server's clocks are compared with ours.
"""
_RIGHTS: Final = """\
## Linux capabilities of the node agent

These and no others, with `runAsUser: 0`, `hostNetwork` and `hostPID` (`agents/node/capability/right.py`). Without an
essential one the agent sees nothing; without another it goes on and tells what is lost.
"""
_ACCESS: Final = """\
## Rights of the cluster agent

These and no others (`agents/cluster/right.py`); kinds of Calico, Cilium, Antrea and of network policies beyond the
built-in one are asked for where the cluster has them. Each is asked for by a SelfSubjectAccessReview, or with
`--service-account` by a SubjectAccessReview, which takes the right to create those.
"""
_DATAPLANE: Final = """\
## CNI and dataplane

Which CNI a node has is known by the links that it makes, and who translates Services by nftables' tables and chains
and by IPVS; rules of iptables-legacy are seen to be there and not read. Cilium and Calico's eBPF dataplane forward
pods past netfilter: conntrack does not see that traffic, and only sockets tell of it. That is told as degraded also
where a part may still pass netfilter, since no name tells how much.
"""


def page() -> str:
    """In Markdown."""
    parts = [
        _HEAD,
        _table(("State", "Meaning"), ((f"`{state}`", meaning) for state, meaning in STATES.items())),
        "## Findings\n",
        _table(("Area", "Check", "Lost without it", "What to do"), map(_row, CHECKS)),
        _ROLES,
        _DATAPLANE,
        _RIGHTS,
        _table(("Capability", "Essential", "For", "Entries of the record that are not ok without it"), _rights()),
        _ACCESS,
        _table(("Resource", "Verbs", "Where", "Lost without it"), _access()),
    ]
    return "\n".join(parts)


def _row(check: Check) -> Sequence[str]:
    return f"`{check.area}`", f"`{check.name}`", check.lost, check.remedy


def _rights() -> Iterator[Sequence[str]]:
    for right in RIGHTS:
        lost = ", ".join(f"`{name}`" for name in right.lost)
        yield f"`{right.name}`", "yes" if right.is_essential else "no", right.reason, lost


def _access() -> Iterator[Sequence[str]]:
    for right in rights_of(makes_events=True):
        where = f"namespace of the lease (`{right.namespace}`)" if right.namespace else "cluster"
        yield f"`{right.title}`", ", ".join(right.verbs), where, right.lost


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)
