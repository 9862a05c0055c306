"""``python -m services``: the same as the command ``henji``."""

from services.cli import main

main()
