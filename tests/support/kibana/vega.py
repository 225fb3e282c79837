"""Kibana's Vega: its data are questions to Elasticsearch, and its chart has the size of the panel."""

import copy
from collections.abc import Callable, Iterator
from typing import Any, Final

import vl_convert

Body = dict[str, Any]
Ask = Callable[[str, Body], Body]
"""Index pattern and body of a search; returns Elasticsearch's answer."""
VEGA_LITE: Final = "5.21"
"""Kibana's since elastic/kibana#220909 (May 2025); version 6 came in December 2025 (#245462)."""
_OURS: Final = ("%context%", "%timefield%")


SIZES: Final = {"conntrail-graph": (1100, 560), "conntrail-namespaces": (760, 320)}
"""Of the tiles, by the page that each is on."""


def sources_of(spec: Body) -> Iterator[Body]:
    """Parts of the data that are asked for."""
    data = spec["data"]
    return (part for part in (data if isinstance(data, list) else [data]) if "url" in part)


def answered(spec: Body, ask: Ask) -> Body:
    """With the answers in the place of the questions."""
    own = copy.deepcopy(spec)
    for part in sources_of(own):
        url = part.pop("url")
        assert [url[name] for name in _OURS] == [True, "@timestamp"], "it follows the page's filters and time"
        values: Any = ask(url["index"], url["body"])
        for step in part.pop("format")["property"].split("."):
            values = values[step]
        part["values"] = values
    return own


def picture(spec: Body, width: int, height: int, *, scale: float = 1.5) -> bytes:
    """A PNG. The specification has its answers."""
    sized = {**spec, "width": width, "height": height, "background": "white"}
    if "vega-lite" in spec["$schema"]:
        return bytes(vl_convert.vegalite_to_png(sized, vl_version=VEGA_LITE, scale=scale))
    return bytes(vl_convert.vega_to_png(sized, scale=scale))


def drawn(spec: Body, width: int, height: int) -> str:
    """The same as SVG, to read what it shows."""
    sized = {**spec, "width": width, "height": height}
    if "vega-lite" in spec["$schema"]:
        return str(vl_convert.vegalite_to_svg(sized, vl_version=VEGA_LITE))
    return str(vl_convert.vega_to_svg(sized))
