"""Generated inputs: at the edges of a tool's schema, near its constants and recorded arguments.

The values are made here, outside the sandbox; only running the tool on them happens inside. They
are drawn by `random` instead of hypothesis, which takes two milliseconds for each and gives no
hold on which come first.
"""

from toolguild.synth.validation.inputs.drawing import draw
from toolguild.synth.validation.inputs.neighbours import neighbours
from toolguild.synth.validation.inputs.shrinking import shrink
from toolguild.synth.validation.inputs.strategy import ArgumentsStrategy, arguments_strategy

__all__ = ["ArgumentsStrategy", "arguments_strategy", "draw", "neighbours", "shrink"]
