"""Whether a cluster's licence lets logsdb do without the original documents, which is what makes it small. Pure.

Source: Elasticsearch reference, "Logs data stream" (synthetic source needs a subscription; without one the original is
kept). Measured, bytes a flow: kept 549, left away 285, and an ordinary index sorted with best_compression 503.
"""

from collections.abc import Mapping
from typing import Any, Final

_WITH_SUBSCRIPTION: Final = ("enterprise", "trial")


def leaves_sources_away(features: Mapping[str, Any], licence: Mapping[str, Any]) -> bool:
    """``features`` is the answer of ``GET /_xpack``, ``licence`` of ``GET /_license``; empty when there was none.

    A cluster that names no feature logsdb has nothing that asks for a licence. One that tells neither is new enough
    to be sold by use, with everything in it.
    """
    is_gated = "logsdb" in features.get("features", {})
    kind = licence.get("license", {}).get("type", "enterprise")
    return not is_gated or kind in _WITH_SUBSCRIPTION
