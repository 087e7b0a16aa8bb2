"""``python -m twinloop``: the same command line."""

from twinloop.cli.main import main

if __name__ == "__main__":
    main()
