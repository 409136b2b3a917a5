"""How fast the static gate answers, and what it lets through, beside others."""
