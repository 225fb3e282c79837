"""What commands do for a user who is not root: go on where that user's lab is, as root of it."""

import os
import sys
from pathlib import Path
from typing import NoReturn

import typer

from conntrail.errors import CommandError
from conntrail.lab.rootless.reader import find_holder, processes_inside
from conntrail.lab.rootless.writer import become_inside, end_holder, run_inside, start_holder


def is_user() -> bool:
    """Whether this user must go inside; root needs no namespaces of its own."""
    return os.geteuid() != 0


def go_inside(directory: Path) -> NoReturn:
    """Do this very command where the lab is. Raises CommandError when there is none."""
    if (holder := find_holder()) is None:
        raise CommandError("no lab is there: conntrail lab up builds one")
    become_inside(holder, _again(directory))


def up_inside(directory: Path) -> NoReturn:
    """Build the lab in namespaces of the user's own; when that fails, they go, unless something else lives there."""
    holder = start_holder()
    code = 1
    try:
        code = run_inside(holder, _again(directory))
    finally:
        if code and not processes_inside(holder):
            end_holder(holder)
    raise typer.Exit(code)


def down_inside(directory: Path) -> NoReturn:
    """Take the lab down, and its namespaces with it, unless something else lives there."""
    if (holder := find_holder()) is None:
        typer.echo(f"no lab was there, in {directory}", err=True)
        raise typer.Exit
    code = run_inside(holder, _again(directory))
    if code == 0:
        if others := processes_inside(holder):
            numbers = f"{len(others)} still running there"
            typer.echo(f"the lab is gone, its network is kept for {numbers}: end them, then down again", err=True)
        else:
            end_holder(holder)
    raise typer.Exit(code)


def enter(command: list[str], *, is_privileged: bool) -> NoReturn:
    """Become a command in the lab's network: root's is the machine's, a user's is the user's own."""
    if not is_user():
        _become(command)
    become_inside(start_holder(), command, is_privileged=is_privileged)


def _become(command: list[str]) -> NoReturn:
    try:
        os.execvp(command[0], command)  # noqa: S606 - no shell is wanted
    except OSError as error:
        raise CommandError(f"{command[0]}: {error.strerror}") from error


def _again(directory: Path) -> list[str]:
    """With its state directory named: inside, the user is root and might have another home."""
    words = sys.argv[1:]
    after = words.index("lab") + 2
    words[after:after] = ["--state-dir", str(directory)]
    return [sys.executable, "-m", "conntrail", *words]
