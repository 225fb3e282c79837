"""Which extra of the distribution brings a package that is not installed."""

from typing import Final

_EXTRAS: Final = {
    "kubernetes": "cluster",
    "urllib3": "cluster",
    "yaml": "cluster",
    "faust": "streams",
    "polars": "streams",
    "elasticsearch": "streams",
    "cramjam": "streams",
    "jgo": "local",
}


def advice(package: str) -> str | None:
    """What to install for a package that is missing; None when no extra brings it."""
    extra = _EXTRAS.get(package.partition(".")[0])
    return f"the Python package {package} is missing: pip install 'conntrail[{extra}]'" if extra else None
