"""``conntrail completion``: the script by which a shell completes our commands, options and their values."""

from typing import Annotated, Final, Literal

import typer
from typer.completion import shell_complete

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
_PROGRAM: Final = "conntrail"
_VARIABLE: Final = "_CONNTRAIL_COMPLETE"
"""Typer's name for it: by this variable the script asks the program what fits."""


@app.command(
    epilog="Example: source <(conntrail completion bash)   ·   conntrail completion fish | source   ·   "
    "for zsh, below compinit in ~/.zshrc: source <(conntrail completion zsh)"
)
def completion(
    context: typer.Context,
    shell: Annotated[Literal["bash", "zsh", "fish"], typer.Argument(help="Your shell.")],
) -> None:
    """Print the script that completes conntrail in a shell; put the example's line into the shell's start-up file."""
    raise typer.Exit(shell_complete(context.find_root().command, {}, _PROGRAM, _VARIABLE, f"source_{shell}"))
