"""What tools would have saved in recorded runs, counted only where it can be verified."""

from toolguild.synth.measuring.budget import choose_toolbox
from toolguild.synth.measuring.greedy import Pick, choose_greedily
from toolguild.synth.measuring.matching import PlannedTool, Substitution, WrittenTool
from toolguild.synth.measuring.measure import Measured, Tally, measure

__all__ = [
    "Measured",
    "Pick",
    "PlannedTool",
    "Substitution",
    "Tally",
    "WrittenTool",
    "choose_greedily",
    "choose_toolbox",
    "measure",
]
