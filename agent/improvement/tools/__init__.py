"""Tools that an agent makes of what recurs in its runs, and gives up when they stop helping."""

from toolguild.agent.improvement.tools.growing import Workshop, grow
from toolguild.agent.improvement.tools.retiring import unhelpful

__all__ = ["Workshop", "grow", "unhelpful"]
