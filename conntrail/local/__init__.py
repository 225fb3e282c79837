"""A real Kafka and a real Elasticsearch on this machine, from released artifacts."""
