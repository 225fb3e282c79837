"""The network namespaces whose sockets are this node's: its own and its pods'."""
