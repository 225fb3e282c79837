"""A Kibana that objects are imported into."""
