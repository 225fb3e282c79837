"""Policies of Cilium, cilium.io/v2, as far as they map to the internal form."""
