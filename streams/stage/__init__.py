"""One folder a stage of a worker: what it is made of, built and not started."""
