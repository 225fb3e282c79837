"""What crosses Kafka, nothing else: topics, Avro schemas, codecs and the records that processes share."""
