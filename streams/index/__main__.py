"""``python -m streams.index`` prints the page of the documentation on fields."""

import sys

from streams.index.page import page

if __name__ == "__main__":
    sys.stdout.write(page())
