"""The REST interface of a Confluent-compatible schema registry, as far as we use it.

Source: Confluent's "Schema Registry API reference": subjects, versions, schemas by id.
"""
