"""The kernel's own means of isolation."""
