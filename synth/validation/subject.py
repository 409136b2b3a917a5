"""The draft under test, and every run of it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TypeAlias

from toolguild.policies import Capability, Tier, beyond
from toolguild.sandbox import Access, JsonObject, Limits, Outcome, Program, Sandbox, ToolGateway
from toolguild.synth.drafting import Draft
from toolguild.synth.mining import canonical
from toolguild.synth.validation.inputs import arguments_strategy, draw, neighbours, shrink
from toolguild.synth.validation.needs import needs_or_none
from toolguild.synth.validation.observation import NotedTools, Observation, error_type, in_words
from toolguild.synth.validation.recordings import SimulatedTools, with_repeats
from toolguild.synth.validation.report import Counterexample
from toolguild.synth.validation.settings import ValidationSettings
from toolguild.synth.validation.together import (
    NotedByInput,
    Together,
    ToolsFor,
    program_for_all,
    read_all,
)

__all__ = ["Subject", "counterexample"]

_COMPOSITES_SLOWER = 2
"""A composite gets so many times fewer inputs at once: each of its calls crosses to the host."""
_COMPOSITES_AGAIN = 20

_Fails: TypeAlias = Callable[[JsonObject], bool]


class Subject:
    """A draft in the sandbox that it is tried in: every run of it goes through here.

    Each is one of the tier `sandbox`, and what it was seen to do besides returning is noted.
    """

    def __init__(
        self, draft: Draft, sandbox: Sandbox, settings: ValidationSettings, access: Access
    ) -> None:
        """Take a draft as it is; nothing runs yet.

        Args:
            draft: The draft.
            sandbox: Where it runs.
            settings: What each run may use, and which inputs there are.
            access: What of the caller's files it sees where its text shows that it needs to.
        """
        self.draft = draft
        self.sandbox = sandbox
        self.settings = settings
        self.access = access
        self.needs = needs_or_none(draft.source, settings.profile)
        self.effects: frozenset[Capability] = frozenset()
        """All that runs were seen to do."""
        self.undeclared: Counterexample | None = None
        """The first run that did what the text does not show."""
        recorded = [*draft.cases, *draft.held_out]
        self.simulated = SimulatedTools(call for case in recorded for call in case.calls)
        self.seed = _seed(draft) if settings.seed is None else settings.seed
        self._program = Program(draft.source, draft.name, needs=self.needs)
        self._strategy = arguments_strategy(
            draft.parameters,
            [case.arguments for case in draft.cases],
            [draft.source, *draft.replaced_code],
            settings.profile.code.limits,
        )

    def inputs(self) -> list[JsonObject]:
        """Draw the generated inputs: the same ones each time."""
        return draw(self._strategy, self.settings.input_count, self.seed)

    def simplest(self, example: JsonObject, fails: _Fails) -> JsonObject:
        """Return the simplest input that fails as the example does."""
        return shrink(self._strategy, example, fails)

    def crowd_near(self, inputs: Sequence[JsonObject]) -> list[JsonObject]:
        """Return these inputs and very many more, each of which is near one of them.

        These are among them because many inputs are run under narrower limits than one is.
        """
        if not self.draft.calls:
            return [*inputs, *neighbours(self._strategy, inputs, self.settings.crowd)]
        found = neighbours(self._strategy, inputs, self.settings.crowd // _COMPOSITES_SLOWER)
        # Even the same input again is another one: other calls of it fail.
        again = list(inputs[:1]) * _COMPOSITES_AGAIN
        return with_repeats([*inputs, *found, *again])

    def run(
        self,
        arguments: JsonObject,
        tools: ToolGateway | None = None,
        limits: Limits | None = None,
    ) -> Observation:
        """Run the draft once, in a process of its own.

        Args:
            arguments: Its arguments.
            tools: Answers the tools that it calls; what was recorded anywhere unless given.
            limits: What it may use; the settings' unless given.

        Raises:
            SandboxUnavailableError: the sandbox cannot run anything.
        """
        noted = NotedTools(tools or self.simulated) if self.draft.calls else None
        outcome = self._run(self._program, arguments, noted, limits)
        self._note_effects(arguments, outcome)
        return Observation(outcome, tuple(noted.calls) if noted else ())

    def run_text(self, source: str, arguments: JsonObject, tools: ToolGateway) -> Outcome:
        """Run another text in the draft's place; what it does is not noted.

        Args:
            source: The text, with a function of the draft's name.
            arguments: Its arguments.
            tools: Answers the tools that it calls.

        Raises:
            SandboxUnavailableError: the sandbox cannot run anything.
        """
        return self._run(replace(self._program, source=source), arguments, tools)

    @property
    def runs_together(self) -> bool:
        """Whether many inputs in one process are of use: no file decides anything."""
        return not self.needs

    def run_together(
        self,
        inputs: Sequence[JsonObject],
        tools_for: ToolsFor | None = None,
        limits: Limits | None = None,
    ) -> Together:
        """Run the draft on many inputs in one process.

        Args:
            inputs: What to run it on.
            tools_for: Answers the calls for each; what was recorded anywhere unless given.
            limits: What the process may use; the settings' unless given.

        Raises:
            SandboxUnavailableError: the sandbox cannot run anything.
        """
        calls = bool(self.draft.calls)
        noted = NotedByInput(tools_for or (lambda number: self.simulated)) if calls else None
        source, entry = program_for_all(self.draft.source, self.draft.name, calls=calls)
        program = replace(self._program, source=source, entry=entry)
        outcome = self._run(program, {"inputs": [*inputs]}, noted, limits)
        return read_all(outcome, inputs, noted)

    def _run(
        self,
        program: Program,
        arguments: JsonObject,
        tools: ToolGateway | None,
        limits: Limits | None = None,
    ) -> Outcome:
        return self.sandbox.run(
            program,
            arguments,
            tier=Tier.SANDBOX,
            limits=limits or self.settings.limits,
            tools=tools,
            access=self.access,
        )

    def _note_effects(self, arguments: JsonObject, outcome: Outcome) -> None:
        self.effects |= outcome.effects
        more = beyond(outcome.effects, self.needs)
        if self.undeclared is None and more:
            needs = ", ".join(sorted(self.needs))
            expected = f"no effect but {needs}" if needs else "no effect"
            observed = f"uses {', '.join(sorted(more))}"
            self.undeclared = counterexample(arguments, expected, outcome, observed)


def counterexample(
    arguments: JsonObject, expected: str, outcome: Outcome, observed: str = ""
) -> Counterexample:
    """Return arguments for which the tool does not do what it must.

    Args:
        arguments: These.
        expected: What should have happened.
        outcome: What happened.
        observed: The same in words, where they are not those of the outcome alone.
    """
    ending = error_type(outcome) or str(outcome.status)
    return Counterexample(
        arguments=arguments,
        expected=expected,
        observed=observed or in_words(outcome),
        value=outcome.value,
        error_type=None if outcome.ok else ending,
    )


def _seed(draft: Draft) -> int:
    digest = hashlib.sha256(f"{draft.source}{canonical(draft.parameters)}".encode()).digest()
    return int.from_bytes(digest[:4])
