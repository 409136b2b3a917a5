"""What stands in the prompts of a run's model requests, as far as a log tells.

An agent that makes n calls one after another sends n + 1 requests to its model: one before each
call, and one for the answer. Each carries the instructions, the definitions of all tools, the task,
and everything that was said, called and returned by then. Two things follow. One more tool is read
in each request; and a call that is saved saves a request, with all that would have been read again
in it.

What a log does not hold counts as nothing, unless settings say how much it is, so that what a saved
request would have read is rather under- than overestimated. Of tools that are not defined in the
log, only the names and arguments are counted that the run itself used. Calls that a model asks for
several at a time take fewer requests; logs do not tell these apart.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import accumulate

from toolguild.sandbox import Json
from toolguild.synth.mining import Sampled, canonical
from toolguild.synth.traces import CodeExecution, Step, Trace
from toolguild.synth.utility.schema_size import known_schema_size, used_schema_size
from toolguild.synth.utility.tokens import tokens_in

__all__ = ["PromptSettings", "Prompts"]


@dataclass(frozen=True, slots=True)
class PromptSettings:
    """What logs do not say of the requests that agents send to their models.

    Raises:
        ValueError: one of the numbers is out of its range.
    """

    cached_price: float = 1.0
    """Price of a token that an earlier request of the run has sent already, in parts of that of a
    new one: 1 where prompts are not cached, about 0.1 to 0.5 where the model's vendor caches."""
    unrecorded_tokens: int = 0
    """Tokens of instructions and tool definitions in each request that are not in the logs."""

    def __post_init__(self) -> None:
        if not 0 <= self.cached_price <= 1:
            msg = f"cached_price: {self.cached_price} is not between 0 and 1"
            raise ValueError(msg)
        if self.unrecorded_tokens < 0:
            msg = f"unrecorded_tokens: {self.unrecorded_tokens} is less than 0"
            raise ValueError(msg)


class Prompts:
    """The prompts of mined runs, in estimated tokens at the price of those that are sent anew."""

    def __init__(
        self,
        runs: Iterable[Sampled],
        settings: PromptSettings = PromptSettings(),
        total: int | None = None,
    ) -> None:
        """Take in runs.

        Args:
            runs: Mined runs, each of which stands for as many as its weight says.
            settings: What the logs do not say.
            total: Runs that the logs hold, of which those without a step are not mined; as many as
                the mined ones stand for unless given.
        """
        self._settings = settings
        self._traces: dict[str, Trace] = {}
        self._weights: dict[str, float] = {}
        self._sizes: dict[str, list[int]] = {}
        requests = 0.0
        for run in runs:
            self._traces[run.trace.id] = run.trace
            self._weights[run.trace.id] = run.weight.runs
            requests += run.weight.runs * (len(run.trace.steps) + 1)
        mined = sum(self._weights.values())
        self.runs = mined if total is None else float(total)
        """Runs of the logs, whether mined or not."""
        idle = max(self.runs - mined, 0.0)
        self.requests = (requests + idle) / (mined + idle) if mined + idle else 0.0
        """Model requests of a run, on average."""

    def weight(self, trace_id: str) -> float:
        """Return how many runs a mined run stands for."""
        return self._weights.get(trace_id, 1.0)

    def of_tool(self, characters: int) -> float:
        """Return what a tool's definition costs in a run: it is new in the first request only.

        Args:
            characters: Length of the definition, see `schema_size`.
        """
        again = max(self.requests - 1, 0.0)
        times = min(self.requests, 1.0) + again * self._settings.cached_price
        return tokens_in(characters) * times

    def of_request(self, trace_id: str, step: int) -> float:
        """Return what a request after a step reads again: at least what stood there before it.

        Args:
            trace_id: The run.
            step: Number of the step, from 1.
        """
        trace = self._traces.get(trace_id)
        sizes = self._sizes.get(trace_id)
        if sizes is None:
            sizes = self._sizes[trace_id] = _sizes_before(trace) if trace else [0]
        recorded = tokens_in(sizes[min(step, len(sizes)) - 1])
        return (recorded + self._settings.unrecorded_tokens) * self._settings.cached_price


def _sizes_before(trace: Trace) -> list[int]:
    """Return the characters of the prompt before each step, and after the last."""
    opening = trace.instructions + _size_of_tools(trace) + len(trace.task.text)
    return [*accumulate(map(_size_of_step, trace.steps), initial=opening)]


def _size_of_tools(trace: Trace) -> int:
    defined = {tool.name for tool in trace.tools}
    used = {call.tool: call for call in trace.calls() if call.tool not in defined}
    return sum(map(known_schema_size, trace.tools)) + sum(
        used_schema_size(call.tool, call.arguments) for call in used.values()
    )


def _size_of_step(step: Step) -> int:
    said = len(step.heard) + len(step.reasoning) + _size(step.result) + len(step.error or "")
    if isinstance(step, CodeExecution):
        return said + len(step.code)
    return said + len(step.tool) + _size(step.arguments)


def _size(value: Json) -> int:
    return len(value) if isinstance(value, str) else len(canonical(value))
