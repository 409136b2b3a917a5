"""What a function does on many inputs, and whether two functions do the same.

Two texts that compute the same are one function to their users. That shows only when they are run:
each in the sandbox, on the same inputs, drawn outside. What a function gives for an input that
takes it too long tells nothing, for or against.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import compress
from typing import TypeAlias

from pydantic import BaseModel, ConfigDict, JsonValue, TypeAdapter, ValidationError

from toolguild.policies import Tier
from toolguild.sandbox import Json, Limits, Program, Sandbox
from toolguild.synth.mining import canonical

__all__ = ["Behaviour", "Ending", "Positional", "difference", "observe"]

Positional: TypeAlias = Sequence[Json]
"""The arguments of one call, in order."""

_ENTRY = "toolguild_observe"
_DRIVER = """

def {entry}(inputs):
    import copy, json, signal

    class Late(BaseException):
        pass

    def late(*_):
        raise Late

    signal.signal(signal.SIGALRM, late)
    endings = []
    for given in inputs:
        try:
            signal.setitimer(signal.ITIMER_REAL, {seconds})
            value = {function}(*copy.deepcopy(given))
            signal.setitimer(signal.ITIMER_REAL, 0)
            text = json.dumps(value, allow_nan=False)
            if len(text) > {characters}:
                endings.append({{"late": True}})
            else:
                endings.append({{"value": json.loads(text)}})
        except Late:
            endings.append({{"late": True}})
        except Exception as error:
            endings.append({{"error": type(error).__name__}})
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
    return endings
"""
_SECONDS = 0.05
"""Time for one input."""
_CHARACTERS = 10_000
"""Size of one result."""
_LIMITS = Limits(wall_s=8.0)
_FEWEST = 3
"""Inputs on which two functions must be seen to agree."""


@dataclass(frozen=True, slots=True)
class Ending:
    """How a call ends."""

    text: str | None
    """The value, or the exception's type; None where it took too long or gave too much."""
    is_value: bool = False


@dataclass(frozen=True, slots=True)
class Behaviour:
    """How a function ends on some inputs, one after the other."""

    endings: tuple[Ending, ...]

    def only(self, kept: Sequence[bool]) -> Behaviour:
        """Return the behaviour on some of the inputs."""
        return Behaviour(tuple(compress(self.endings, kept)))

    def agrees(self, other: Behaviour) -> bool:
        """Say whether two functions end alike on all inputs, and on enough that tell something."""
        told = [*self._told(other)]
        values = {mine.text for mine, _ in told if mine.is_value}
        return (
            all(mine.text == theirs.text for mine, theirs in told)
            and len(told) >= min(_FEWEST, len(self.endings))
            and len(values) > 1
        )

    def contradicts(self, other: Behaviour) -> int | None:
        """Return the number of the first input on which two functions end differently."""
        pairs = zip(self.endings, other.endings, strict=True)
        for number, (mine, theirs) in enumerate(pairs):
            if None not in (mine.text, theirs.text) and mine.text != theirs.text:
                return number
        return None

    def _told(self, other: Behaviour) -> Iterator[tuple[Ending, Ending]]:
        for mine, theirs in zip(self.endings, other.endings, strict=True):
            if mine.text is not None and theirs.text is not None:
                yield mine, theirs


class _Told(BaseModel):
    """What the process says of one input; code under test may have written it."""

    model_config = ConfigDict(extra="forbid")

    value: JsonValue = None
    error: str = ""
    late: bool = False


_ENDINGS = TypeAdapter(list[_Told])


def observe(
    source: str, entry: str, inputs: Sequence[Positional], sandbox: Sandbox
) -> Behaviour | None:
    """Run a function on inputs, all in one process; None where that comes to no end.

    Args:
        source: The function, after what it needs.
        entry: Its name.
        inputs: What to call it with.
        sandbox: Where it runs.

    Raises:
        SandboxUnavailableError: nothing can be run.
    """
    driver = _DRIVER.format(entry=_ENTRY, function=entry, seconds=_SECONDS, characters=_CHARACTERS)
    given: list[Json] = [[*arguments] for arguments in inputs]
    program = Program(source + driver, _ENTRY, walled=False)
    outcome = sandbox.run(program, {"inputs": given}, tier=Tier.SANDBOX, limits=_LIMITS)
    if not outcome.ok:
        return None
    try:
        told = _ENDINGS.validate_python(outcome.value)
    except ValidationError:
        return None
    return Behaviour(tuple(map(_ending, told))) if len(told) == len(inputs) else None


def _ending(told: _Told) -> Ending:
    if told.late:
        return Ending(None)
    if told.error:
        return Ending(f"raises {told.error}")
    return Ending(canonical(told.value), is_value=True)


def difference(one: Behaviour, other: Behaviour, inputs: Sequence[Positional]) -> str:
    """Say on which input two functions differ, and how; "" where none tells them apart."""
    number = one.contradicts(other)
    if number is None:
        return ""
    mine, theirs = one.endings[number].text, other.endings[number].text
    return f"{canonical([*inputs[number]])}: {mine}, not {theirs}"
