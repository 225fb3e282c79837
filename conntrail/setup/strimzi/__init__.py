"""Topics and users as custom resources of Strimzi, whose operator makes them."""
