"""Working on a task as trials do it."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest
from stage_runs import OWN, configuration, terminate

from toolguild.agent.evaluation import Exact
from toolguild.agent.improvement.attempts import TaskCase
from toolguild.agent.improvement.trials.comparing import HeldOut
from toolguild.agent.improvement.trials.working import Worker
from toolguild.agent.scripted import ScriptedEndpoint
from toolguild.agent.stages import Ended, Guidance, read_log
from toolguild.policies import load_profile
from toolguild.registry import Registry
from toolguild.sandbox import ScriptedSandbox
from toolguild.synth.models import AsyncModel, ModelSettings, OverBudgetError

CASE = TaskCase("one", "Where does Ada live?", Exact("Paris"))
SCRIPT = [configuration("find_city", "add"), terminate("Paris")]


def worker(registry: Registry, most_tokens: int) -> Worker:
    """Return a worker whose model does what is right, as long as it is paid for."""
    endpoint = ScriptedEndpoint([*SCRIPT, *SCRIPT])
    settings = ModelSettings(name="scripted", most_tokens=most_tokens, most_output_tokens=5_000)
    return Worker(AsyncModel(settings, endpoint=endpoint), registry, ScriptedSandbox(), OWN)


def test_a_run_that_was_cut_off_by_the_budget_has_no_score(tmp_path: Path) -> None:
    with Registry.open(tmp_path / "tools.db") as registry:
        score = asyncio.run(worker(registry, 100_000)(CASE, Guidance())).score
        assert score.value == 1.0
        with pytest.raises(OverBudgetError, match="raise --model-tokens"):
            asyncio.run(worker(registry, 7_000)(CASE, Guidance()))


def test_a_run_that_was_cut_off_is_begun_anew_under_its_id(tmp_path: Path) -> None:
    with Registry.open(tmp_path / "tools.db") as registry:
        poor, rich = (
            replace(worker(registry, tokens), runs=tmp_path) for tokens in (7_000, 100_000)
        )
        with pytest.raises(OverBudgetError):
            asyncio.run(poor(CASE, Guidance(), "one"))
        assert asyncio.run(rich(CASE, Guidance(), "one")).score.value == 1.0
    assert isinstance(read_log(tmp_path / "one.jsonl")[-1], Ended)


def test_a_comparison_of_which_half_was_not_paid_for_is_none(tmp_path: Path) -> None:
    """Otherwise what was cut off under both guidances would be no worse under either."""
    with Registry.open(tmp_path / "tools.db") as registry:
        held_out = HeldOut(worker(registry, 7_000), [CASE], load_profile().improvement)
        with pytest.raises(OverBudgetError):
            asyncio.run(held_out.compare(lambda task: Guidance(), lambda task: Guidance("Else.")))
