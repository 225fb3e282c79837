"""A real kube-apiserver and etcd, built from Go modules once and kept outside the repository."""
