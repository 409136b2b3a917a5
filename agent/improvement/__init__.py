"""An agent that learns from its runs: behind gates, within bounds, and undone in one step."""
