"""From traces to opportunities: what recurs, and what it would save."""
