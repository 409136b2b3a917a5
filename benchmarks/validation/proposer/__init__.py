"""An adversary that hands in bad tools: twenty kinds, each seen to be bad before it counts."""

from benchmarks.validation.proposer.attempt import Attempt, BadTool
from benchmarks.validation.proposer.proposing import KINDS, PER_KIND, candidates, propose

__all__ = ["KINDS", "PER_KIND", "Attempt", "BadTool", "candidates", "propose"]
