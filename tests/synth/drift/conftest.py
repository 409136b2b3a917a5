"""A registry whose composites were validated on recordings, and logs of today to hold beside."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from toolguild.policies import Tier
from toolguild.registry import Registry, ToolVersion
from toolguild.sandbox import Program, Sandbox
from toolguild.synth.drafting import Case, Draft
from toolguild.synth.tool_spec import spec_of
from toolguild.synth.tool_text import draft_from_text
from toolguild.synth.validation import ValidationSettings, dossier, validate
from toolguild.synth.validation.recordings import RecordedTools

QUICK = ValidationSettings(inputs=3, crowd=10, repeats=2, mutants=0)


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[Registry]:
    with Registry.open(tmp_path / "tools.db", actor="tester") as registry:
        yield registry


@pytest.fixture(scope="session")
def register_in(local: Sandbox) -> Callable[..., ToolVersion]:
    """Register a tool's text with recorded cases and what it makes of them, as `synthesize` does.

    What it gets is `(registry, text, cases, tier)`.
    """

    def do(
        registry: Registry, text: str, cases: Sequence[Case], tier: Tier = Tier.SANDBOX
    ) -> ToolVersion:
        draft = draft_from_text(text, cases)
        settled = replace(draft, cases=tuple(_with_value(draft, case, local) for case in cases))
        report = validate(settled, local, QUICK)
        kept = dossier(settled, report, QUICK)
        spec = spec_of(settled, QUICK.profile)
        registry.register(spec, evidence=report.evidence(), report=kept)
        return registry.set_tier(spec.name, tier, why="trusted")

    return do


@pytest.fixture
def register(
    registry: Registry, register_in: Callable[..., ToolVersion]
) -> Callable[..., ToolVersion]:
    """The same for the test's own registry: `(text, cases, tier)`."""
    return partial(register_in, registry)


def _with_value(draft: Draft, case: Case, sandbox: Sandbox) -> Case:
    program = Program(draft.source, draft.name)
    tools = RecordedTools(case.calls)
    outcome = sandbox.run(program, case.arguments, tier=Tier.SANDBOX, tools=tools)
    assert outcome.ok, outcome.error
    return replace(case, value=outcome.value)
