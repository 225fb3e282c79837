"""The stream processors: names, both ends joined, policies evaluated, windows, documents."""
