"""Asks an API server whether the cluster agent may do what it does; nothing is read of what is in the cluster.

Each right is a SelfSubjectAccessReview (authorization.k8s.io/v1), which every user may make.
"""

import time
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any, Final

from agents.cluster.api.reader import KubernetesApi
from agents.cluster.record.value import items, text
from agents.cluster.right import Right
from agents.errors import AgentError, RightsError
from conntrail.doctor.clock import parse_date
from conntrail.doctor.cluster.judge import Asked, ClusterFacts
from conntrail.errors import CommandError

_OURS: Final = "app.kubernetes.io/name=conntrail"
"""Not what an overlay brings beside it: Kafka and Elasticsearch have versions of their own."""
_VERSION: Final = "app.kubernetes.io/version"
_MOST_PARTS: Final = 500
_REVIEWS: Final = "/apis/authorization.k8s.io/v1"


def read_cluster(kubeconfig: str, rights: Iterable[Right], account: str = "") -> ClusterFacts:
    """With the credentials of a kubeconfig, or of the pod or user where it is empty.

    ``account``: ``namespace/name`` of the service account whose rights are asked for; empty: our own. Asking for others
    takes the right to create subjectaccessreviews. Raises CommandError.
    """
    api = KubernetesApi(kubeconfig)
    try:
        api.start()
        asked_at = time.time()
        clock = parse_date(api.date(), asked_at, time.time())
        version = str(api.request("GET", "/version", ("get", "its version"), []).get("gitVersion", ""))
        allowed = dict(_ask(api, rights, account))
        parts = _count_parts(api)
    except AgentError as error:
        raise CommandError(str(error)) from error
    return ClusterFacts(api.host, version, clock, allowed, parts)


def _count_parts(api: KubernetesApi) -> dict[str, int] | None:
    query = [("labelSelector", _OURS), ("limit", str(_MOST_PARTS))]
    try:
        page = api.request("GET", "/api/v1/pods", ("list", "pods"), query)
    except RightsError:
        return None
    return Counter(text(pod, "metadata", "labels", _VERSION) for pod in items(page, "items"))


def _ask(api: KubernetesApi, rights: Iterable[Right], account: str) -> Iterator[tuple[Asked, bool]]:
    for right in rights:
        if not _is_followed(api, right):
            continue
        for verb in right.verbs:
            review = _review(right, verb, account)
            resource = f"{review['kind'].lower()}s"
            answer = api.request("POST", f"{_REVIEWS}/{resource}", ("create", resource), [], review)
            status = answer.get("status")
            yield (right, verb), isinstance(status, dict) and status.get("allowed") is True


def _is_followed(api: KubernetesApi, right: Right) -> bool:
    if right.api_version and not api.is_served(right.api_version, right.served_as or right.resource):
        return False
    return not (right.rather and api.is_served(right.rather, right.resource))


def _review(right: Right, verb: str, account: str) -> dict[str, Any]:
    name = "" if verb == "create" else right.name
    asked = {
        "group": right.group, "resource": right.resource, "verb": verb, "namespace": right.namespace, "name": name,
    }  # fmt: skip
    spec: dict[str, Any] = {"resourceAttributes": asked}
    if account:
        namespace, _, user = account.partition("/")
        # A service account's user and groups, as the API server makes them (serviceaccount.MakeUsername).
        groups = ["system:serviceaccounts", f"system:serviceaccounts:{namespace}", "system:authenticated"]
        spec |= {"user": f"system:serviceaccount:{namespace}:{user}", "groups": groups}
    kind = "SubjectAccessReview" if account else "SelfSubjectAccessReview"
    return {"apiVersion": "authorization.k8s.io/v1", "kind": kind, "spec": spec}
