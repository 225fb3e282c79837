"""What may be wrong with files of a chain.

ManifestError   a manifest does not say what it says it says
"""


class ManifestError(Exception):
    """The message completes "<directory>/manifest.json ..."."""
