"""What the process that holds a user's lab is known by."""

from typing import Final

NAME: Final = "conntrail-lab"
"""Of the process, by which others find it; the kernel keeps 15 bytes."""
READY: Final = b"ready\n"
"""What it says once the namespaces are as a lab needs them."""
