"""Text that came from elsewhere, made fit for a terminal."""


def printable(text: str) -> str:
    """Show control characters, which could drive a terminal, as escapes."""
    return "".join(letter if letter.isprintable() else letter.encode("unicode_escape").decode() for letter in text)
