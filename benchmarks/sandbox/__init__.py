"""How fast the sandboxes are, beside what else there is: `python -m benchmarks.sandbox`."""
