"""Generated inputs: at the edges of a tool's schema, near its constants and recorded arguments.

The edges are worked out, and come first. The others are drawn from hypothesis's strategies, which
are built from the schema, the recorded values and the constants, once for a tool. All values are
made here, outside the sandbox; only running the tool on them happens inside.
"""

from toolguild.synth.validation.inputs.drawing import draw
from toolguild.synth.validation.inputs.neighbours import neighbours
from toolguild.synth.validation.inputs.shrinking import shrink
from toolguild.synth.validation.inputs.strategy import ArgumentsStrategy, arguments_strategy

__all__ = ["ArgumentsStrategy", "arguments_strategy", "draw", "neighbours", "shrink"]
