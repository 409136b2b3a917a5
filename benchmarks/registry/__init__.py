"""Whether the registry holds what is written to it, and how fast that is."""
