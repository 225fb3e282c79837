"""The terminal, and the whole system on one machine."""
