"""Panels of Lens, by value: what Kibana keeps of a chart."""
