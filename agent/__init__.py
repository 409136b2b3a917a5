"""Agents over the toolbox, and adapters to agent frameworks."""
