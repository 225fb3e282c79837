"""The lab of a user who is not root: a process holds user, network, mount and process namespaces that it lives in.

When that process ends, the kernel ends every process in there and with them all that the lab was.
"""
