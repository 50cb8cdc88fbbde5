"""`python -m limen` is the command `limen`."""

from limen.app.cli import main

main()
