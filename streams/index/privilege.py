"""Who may do what in Elasticsearch, as its roles say it. Pure.

Source: Elasticsearch reference, "Security privileges". Roles have the names that they have in Kafka; those that are not
here never ask Elasticsearch.
"""

from typing import Any, Final

from schemas.role import READER, SETUP, WORKER
from streams.index.dataset import DATASETS, EDGE_TEMPLATE, SPAN_TEMPLATE

Privileges = dict[str, Any]
"""``cluster`` and ``indices``, as a role's or an API key's descriptor has them."""
# To make a day's index, put documents there and take away those that a higher revision replaced. An index that was
# made without our template is removed again.
_WRITES: Final = (
    "create_index", "index", "delete", "delete_index", "read", "maintenance", "view_index_metadata",
)  # fmt: skip
_READS: Final = ("read", "view_index_metadata")
# Which licence and features there are decides how documents are stored.
_SETS_UP: Final = ("manage_index_templates", "manage_ilm", "monitor")


def privileges(namespace: str) -> dict[str, Privileges]:
    """By role. ``namespace``: of the indices of this installation."""
    results = [f"{dataset.template}-{namespace}-*" for dataset in DATASETS]
    notes = [f"{template}-{namespace}-*" for template in (SPAN_TEMPLATE, EDGE_TEMPLATE)]
    return {
        WORKER.name: _role([], [*results, *notes], _WRITES),
        READER.name: _role([], results, _READS),
        SETUP.name: _role(list(_SETS_UP), [], ()),
    }


def _role(cluster: list[str], names: list[str], granted: tuple[str, ...]) -> Privileges:
    indices = [{"names": names, "privileges": list(granted)}] if names else []
    return {"cluster": cluster, "indices": indices}
