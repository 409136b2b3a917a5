"""From trace logs to proven tools: `traces`, `mining`, `drafting`, `validation`."""

from toolguild.synth.synthesis import Fate, Mined, Synthesized, mine, synthesize

__all__ = ["Fate", "Mined", "Synthesized", "mine", "synthesize"]
