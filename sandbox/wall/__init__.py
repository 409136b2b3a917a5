"""The wall around programs of the tier `sandbox`, inside the isolation."""
