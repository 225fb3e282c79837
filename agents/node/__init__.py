"""The node agent: what this node's kernel knows of connections, aggregated per interval."""
