"""What a model that is down costs a run: endpoints that are, each in its own way."""
