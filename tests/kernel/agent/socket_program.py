"""Holds a socket as a user that is not root, in a network namespace without a name, until its input ends."""

import ctypes
import os
import socket
import sys

_SET_DUMPABLE = 4  # PR_SET_DUMPABLE, linux/prctl.h

user = int(sys.argv[1])
os.setgroups([])
os.setgid(user)
os.setuid(user)
# As a program that the user has started itself: its files in procfs are the user's.
assert ctypes.CDLL(None).prctl(_SET_DUMPABLE, 1) == 0
with socket.socket() as held:
    held.bind(("", 0))
    sys.stdout.write(f"{os.fstat(held.fileno()).st_ino} {os.stat('/proc/self/ns/net').st_ino}\n")  # noqa: PTH116 - brief
    sys.stdout.flush()
    sys.stdin.read()
