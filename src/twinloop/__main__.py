"""``python -m twinloop``: the same command line."""

from twinloop.cli.main import main

main()
