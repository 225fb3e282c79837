"""Which process holds a socket."""
