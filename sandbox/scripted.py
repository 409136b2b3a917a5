"""A sandbox that runs nothing: it answers from a script, for tests of what stands on a sandbox."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from toolguild.policies import Profile, Tier, load_profile
from toolguild.sandbox.access import NOTHING, Access
from toolguild.sandbox.base import (
    Json,
    JsonObject,
    Limits,
    Outcome,
    Program,
    Sandbox,
    Status,
    ToolGateway,
)
from toolguild.sandbox.errors import SandboxUnavailableError

__all__ = ["Answer", "Answers", "ScriptedRun", "ScriptedSandbox"]

Answer: TypeAlias = Outcome | SandboxUnavailableError
"""What one run comes to: an outcome, or the error to raise."""


@dataclass(frozen=True, slots=True)
class ScriptedRun:
    """A run that was asked for, as the sandbox got it."""

    program: Program
    arguments: JsonObject
    tier: Tier
    limits: Limits
    tools: ToolGateway | None
    access: Access = NOTHING


Answers: TypeAlias = Mapping[str, Answer | Sequence[Answer]] | Callable[[ScriptedRun], Answer]
"""The script: answers by the program's entry (a sequence is used up one by one), or a function."""


class ScriptedSandbox(Sandbox):
    """Answers every run from a script and keeps a record of the runs.

    An entry that the script does not have, or no longer has, is refused.
    """

    name = "scripted"

    def __init__(self, answers: Answers | None = None, profile: Profile | None = None) -> None:
        """Take the script; without one, every run is refused."""
        self.runs: list[ScriptedRun] = []
        """Every run so far, in order."""
        self.closed = False
        self._lock = threading.Lock()
        self._profile = profile
        self._answer = answers if callable(answers) else _Script(answers or {})

    @property
    def profile(self) -> Profile:
        """What it was opened with; there is no wall."""
        return self._profile or load_profile()

    @property
    def level(self) -> str:
        """Always `scripted`: nothing runs."""
        return "scripted"

    def run(
        self,
        program: Program,
        arguments: Mapping[str, Json],
        *,
        tier: Tier,
        limits: Limits = Limits(),  # noqa: B008 - immutable
        tools: ToolGateway | None = None,
        access: Access = NOTHING,
    ) -> Outcome:
        """Record the run and return what the script says; see `Sandbox.run`.

        Raises:
            SandboxUnavailableError: the script says so, or the sandbox is closed.
        """
        run = ScriptedRun(program, dict(arguments), tier, limits, tools, access)
        with self._lock:
            if self.closed:
                msg = "The scripted sandbox is closed; open another."
                raise SandboxUnavailableError(msg)
            self.runs.append(run)
        # Outside the lock: a function may itself run something here, as a composite does.
        answer = self._answer(run)
        if isinstance(answer, SandboxUnavailableError):
            raise answer
        return answer

    def close(self) -> None:
        """Refuse further runs; closing twice is harmless."""
        self.closed = True


class _Script:
    """Answers by the program's entry."""

    def __init__(self, answers: Mapping[str, Answer | Sequence[Answer]]) -> None:
        self._lock = threading.Lock()
        self._always = {
            entry: answer for entry, answer in answers.items() if not isinstance(answer, Sequence)
        }
        self._in_turn = {
            entry: deque(answer)
            for entry, answer in answers.items()
            if isinstance(answer, Sequence)
        }

    def __call__(self, run: ScriptedRun) -> Answer:
        entry = run.program.entry
        if entry in self._always:
            return self._always[entry]
        with self._lock:
            if self._in_turn.get(entry):
                return self._in_turn[entry].popleft()
        return Outcome(Status.REFUSED, error=f"The script has no answer for {entry!r}.")
