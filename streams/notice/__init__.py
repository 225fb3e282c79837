"""An alert as subscribers are told of it: its document, what selects and silences it, and what has been told so far."""
