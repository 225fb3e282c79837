"""Entry points of the kubectl plug-in: ``kubectl-conntrail``, and ``kubectl_complete-conntrail`` that kubectl calls."""

import sys

from conntrail.errors import CommandError
from conntrail.extra import advice
from runtime.settings import SettingsError


def main() -> None:
    """Run the plug-in; an expected failure is one line on standard error and exit status 1."""
    from conntrail.kubectl.help import HELP, is_help  # noqa: PLC0415 - what can fail is told in one line
    from conntrail.kubectl.words import parse_call  # noqa: PLC0415

    typed = sys.argv[1:]
    if is_help(typed):
        sys.stdout.write(HELP)
        return
    try:
        from conntrail.kubectl.main import run  # noqa: PLC0415 - kubernetes' extras may be missing

        run(parse_call(typed))
    except (SettingsError, CommandError) as error:
        sys.exit(f"kubectl conntrail: {error}")
    except ModuleNotFoundError as error:
        line = advice(error.name or "")
        if line is None:
            raise
        sys.exit(f"kubectl conntrail: {line}")


def complete() -> None:
    """Print what fits, as kubectl asks plug-ins for it; what cannot be known completes nothing."""
    from conntrail.kubectl.completion.main import candidates  # noqa: PLC0415 - the same as above

    found = candidates(sys.argv[1:])
    sys.stdout.write("".join(f"{one}\n" for one in found) + ":4\n")  # ShellCompDirectiveNoFileComp of cobra


if __name__ == "__main__":
    main()
