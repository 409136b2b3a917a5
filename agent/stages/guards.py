"""What keeps a run within its bounds, and from going in circles."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto

from toolguild.agent.stages.configuration import Configuration, same_text
from toolguild.agent.stages.state import RunState

__all__ = [
    "MOST_SILENCES",
    "Move",
    "Next",
    "goal_objection",
    "loop_objection",
    "must_differ_from",
    "next_move",
]

_MOST_REMINDERS = 2
MOST_SILENCES = 3
"""Replies that may call nothing, one after the other."""


class Next(Enum):
    """What the model may do next."""

    ACT = auto()
    """Anything."""
    RECONFIGURE = auto()
    """Change the configuration, or end the task."""
    FINISH = auto()
    """End the task."""
    STOP = auto()
    """Nothing any more."""


@dataclass(frozen=True, slots=True)
class Move:
    """What the model may do next, and why that is not everything."""

    next: Next
    why: str = ""


def next_move(state: RunState, request_tokens: int) -> Move:
    """Return what the model may do next.

    Args:
        state: Where the run stands.
        request_tokens: Estimated tokens of the next request.
    """
    limits, last_stage = state.start.limits, state.stage >= state.start.limits.stages
    if why := _over(state):
        return _final(state, why)
    if why := _stage_over(state, request_tokens):
        if last_stage:
            return _final(state, f"{why}, and the {limits.stages} stages are used up")
        told_often = state.reminders >= _MOST_REMINDERS
        return Move(Next.STOP if told_often else Next.RECONFIGURE, why)
    return Move(Next.ACT)


def _final(state: RunState, why: str) -> Move:
    return Move(Next.STOP if state.reminders >= _MOST_REMINDERS else Next.FINISH, why)


def _over(state: RunState) -> str:
    limits = state.start.limits
    if state.tokens.total >= limits.tokens:
        return f"the run took {state.tokens.total:,} of {limits.tokens:,} tokens"
    if state.steps >= limits.steps:
        return f"the run took {limits.steps} steps"
    return ""


def _stage_over(state: RunState, request_tokens: int) -> str:
    limits = state.start.limits
    if state.stage_failures >= limits.stage_failures:
        return f"{state.stage_failures} calls of this stage failed"
    if state.stage_steps >= limits.stage_steps:
        return f"this stage took {limits.stage_steps} steps"
    if request_tokens > limits.context_tokens:
        return f"what was said at this stage has about {request_tokens:,} tokens"
    if state.silences >= MOST_SILENCES:
        return f"{state.silences} replies called no tool"
    return ""


def goal_objection(state: RunState, sub_goal: str) -> str:
    """Say why a sub-goal may not be that of the next stage, or an empty text.

    The present one once more is refused; whoever insists gets it, with a strategy that has to be
    another one, see `must_differ_from`.
    """
    present = state.configuration
    if present is None or "goal" in state.refused or not same_text(sub_goal, present.sub_goal):
        return ""
    return (
        "reconfigure was refused: the new sub-goal is that of this stage. Name another one; or ask "
        "for the same one again, and say in strategy_requirements what is to be done otherwise"
    )


def must_differ_from(state: RunState, sub_goal: str) -> list[Configuration]:
    """Return the configurations for a sub-goal so far, whose strategies were tried for it."""
    return [one for one in state.configurations if same_text(one.sub_goal, sub_goal)]


def loop_objection(state: RunState, new: Configuration) -> str:
    """Say why a configuration may not be the next one, or an empty text."""
    for number, earlier in enumerate(state.configurations, start=1):
        if new.is_like(earlier):
            return (
                f"reconfigure was refused: it comes to the configuration of stage {number} again, "
                "with the same sub-goal, strategy and tools. Ask for another way, or terminate "
                "with what there is"
            )
    return ""
