"""Lets ``python -m tandem`` be the same as the ``tandem`` command."""

from tandem.cli import main

main()
