"""Publishing to Kafka: partitions, a bounded spool while Kafka is away, delivery confirmed."""
