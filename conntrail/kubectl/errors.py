"""Errors of the plug-in.

KubectlError   kubectl, or what it shows of the cluster, does not serve
"""

from conntrail.errors import CommandError


class KubectlError(CommandError):
    """One line that says what to do."""
