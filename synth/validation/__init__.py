"""Proving a draft: static gate, generated inputs, replay."""
