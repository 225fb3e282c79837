"""Alerts sent out: who is owed what is decided from what the topics say, so that a restart neither loses nor floods."""
