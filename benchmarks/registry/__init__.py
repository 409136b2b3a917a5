"""How fast the registry is, and what it holds when many processes write to it."""
