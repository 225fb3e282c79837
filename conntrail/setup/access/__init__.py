"""Roles: access control lists and users in Kafka, roles and API keys in Elasticsearch."""
