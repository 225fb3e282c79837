"""What shows that Kibana's objects are of use without a Kibana."""
