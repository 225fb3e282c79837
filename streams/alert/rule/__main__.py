"""``python -m streams.alert.rule`` prints the page of the documentation on rules."""

import sys

from streams.alert.rule.page import page

if __name__ == "__main__":
    sys.stdout.write(page())
