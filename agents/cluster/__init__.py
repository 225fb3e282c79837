"""The cluster agent: Kubernetes objects, slim, with validity intervals of addresses, into a compacted topic."""
