"""A health check without a shell or curl: ``python -m services.deploy.alive URL``."""

from __future__ import annotations

import sys
from urllib.error import URLError
from urllib.request import urlopen

_SECONDS = 4


def main(url: str) -> int:
    """Return 0 if the URL answers 200, 1 otherwise."""
    try:
        with urlopen(url, timeout=_SECONDS) as answer:  # noqa: S310 - our own address
            return int(answer.status != 200)
    except (URLError, OSError):
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
