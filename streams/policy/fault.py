"""What a policy says that cannot be understood: named, and its consequence bounded to what it touches."""


class PolicyFault(Exception):  # noqa: N818 - a fault in somebody's policy, not an error of ours
    """A part of a policy is malformed or not known here; the message names the field and what is wrong."""
