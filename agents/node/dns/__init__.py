"""DNS as a node sees it: queries paired with answers, counted per client, name, type and code. No I/O."""
