"""``python -m vigie``: the same as ``vigie``."""

from vigie.cli.main import main

main()
