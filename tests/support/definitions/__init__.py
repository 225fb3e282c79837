"""Definitions of the custom resources that the deployment uses, as their makers publish them."""
