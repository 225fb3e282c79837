"""Topics and index templates: made, and compared with what is there."""
