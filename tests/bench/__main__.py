"""Runs the benchmarks and prints a table; ``python -m tests.bench [NAME]`` runs one. Writes build/bench.json.

A dot stands for an underscore: ``alert.latency`` names a module by the rows that it gives.
"""

import json
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import Any

from rich.console import Console
from rich.table import Table

FIELDS = ("name", "value", "unit", "ratio", "against", "aim", "holds")


def main() -> None:
    """Exit status 1 for a name that there is not."""
    wanted = [name.replace(".", "_") for name in sys.argv[1:]]
    names = [module.name for module in iter_modules([str(Path(__file__).parent)]) if module.name != "__main__"]
    unknown = set(wanted) - set(names)
    if unknown:
        sys.exit(f"no benchmark is called {unknown.pop()}; there are {', '.join(names)}")
    figures = list(measured([name for name in names if not wanted or name in wanted]))
    output = Path("build/bench.json")
    output.parent.mkdir(exist_ok=True)
    output.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    Console(width=150).print(table_of(figures))


def measured(names: list[str]) -> Iterator[dict[str, Any]]:
    for name in names:
        sys.stderr.write(f"measuring {name}\n")
        yield from import_module(f"tests.bench.{name}").run()


def table_of(figures: list[dict[str, Any]]) -> Table:
    table = Table(*(field.upper() for field in FIELDS), box=None)
    for figure in figures:
        cells = [figure.get(field) for field in FIELDS]
        table.add_row(*(f"{cell:.3g}" if isinstance(cell, float) else str(cell) for cell in cells))
    return table


if __name__ == "__main__":
    main()
