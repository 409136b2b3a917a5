"""Code-act runs told in plain chat: `<execute>` blocks and `Observation:` messages.

The markup of MINT (https://github.com/xingyaoww/mint-bench) and of CodeAct agents.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from toolguild.synth.traces.model import Place
from toolguild.synth.traces.steps import StepsBuilder

__all__ = ["Utterance", "has_execute_blocks", "tell_code_run"]

# Possessive, and not over another opening tag: hostile text costs one pass.
_BLOCK = re.compile(r"<execute>((?:[^<]++|<(?!/?execute>))*+)</execute>")
_SOLUTION = "<solution>"
_SPEAKER = re.compile(r"\A\s*Assistant:")
_THOUGHT_TAGS = re.compile(r"</?thought>")
_OBSERVATION = re.compile(r"\A\s*Observation:[ \t]*\n?", re.IGNORECASE)
# What the harness adds below what the interpreter showed.
_HARNESS_LINE = re.compile(
    r"You have \d+ steps? left\b.*|You should take the last step to propose a solution\."
)


@dataclass(frozen=True, slots=True)
class Utterance:
    """One message of a plain chat."""

    from_agent: bool
    text: str
    place: Place


def has_execute_blocks(utterances: Iterable[Utterance]) -> bool:
    """Tell whether the agent wrote code in this markup. What others wrote is only an example."""
    return any(said.from_agent and _BLOCK.search(said.text) for said in utterances)


def tell_code_run(builder: StepsBuilder, utterances: Iterable[Utterance], task: str) -> None:
    """Tell a builder of the code that the agent ran and of what it was shown.

    Where a message holds several blocks, the observation belongs to the last. A message that
    also proposes a solution is answered by a verdict on the solution, not by an observation.

    Args:
        builder: told in order.
        utterances: the chat without system messages.
        task: the task's own text, if known: the first message then counts as saying just that,
            as the rest of it is instructions and a worked example in the same markup.
    """
    awaiting = ""  # the id of the block whose observation should be next
    opening = True
    for number, said in enumerate(utterances):
        if said.from_agent:
            awaiting = _tell_blocks(builder, said, number)
            continue
        shown = _OBSERVATION.sub("", said.text, count=1)
        is_observation = len(shown) < len(said.text)
        if awaiting and is_observation:
            builder.answer(_without_harness_lines(shown), call_id=awaiting)
        elif opening and task and task in said.text:
            builder.hear(task)
        else:
            builder.hear(_without_harness_lines(shown) if is_observation else said.text)
        awaiting, opening = "", False


def _tell_blocks(builder: StepsBuilder, said: Utterance, number: int) -> str:
    """Tell of an agent's message; return the id of its last block, if that gets an observation."""
    last, block_id = 0, ""
    for block in _BLOCK.finditer(said.text):
        builder.say(_plain(said.text[last : block.start()]))
        last, block_id = block.end(), f"{number}:{block.start()}"
        builder.execute(block[1], said.place, call_id=block_id)
    builder.say(_plain(said.text[last:]))
    return "" if _SOLUTION in said.text else block_id


def _plain(text: str) -> str:
    return _THOUGHT_TAGS.sub("", _SPEAKER.sub("", text))


def _without_harness_lines(shown: str) -> str:
    lines = shown.rstrip().split("\n")
    while lines and (not lines[-1].strip() or _HARNESS_LINE.fullmatch(lines[-1].strip())):
        lines.pop()
    return "\n".join(lines)
