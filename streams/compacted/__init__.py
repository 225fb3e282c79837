"""Compacted topics, which each process reads whole and for itself."""
