"""``python -m conntrail.doctor`` prints the page of the documentation on findings."""

import sys

from conntrail.doctor.page import page

if __name__ == "__main__":
    sys.stdout.write(page())
