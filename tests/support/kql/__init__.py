"""Kibana's query language in tests, read by Kibana's own parser."""
