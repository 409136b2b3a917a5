"""The `toolguild` command."""
