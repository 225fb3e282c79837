"""Sockets of the node and of its pods: which process, and how TCP fares."""
