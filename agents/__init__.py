"""The processes on and about nodes: they read the kernel and the Kubernetes API and publish to Kafka."""
