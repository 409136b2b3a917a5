"""`python -m toolguild.cli`: the `toolguild` command."""

from toolguild.cli.main import main

main()
