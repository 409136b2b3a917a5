"""The improvement loop under attack: no accepted regression, and each change is undone whole."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

attack = pytest.importorskip("benchmarks.improvement.attack", reason="run in the repository only")

from benchmarks.improvement import drops, oracle  # noqa: E402
from benchmarks.improvement.undoing import undo_each  # noqa: E402
from benchmarks.improvement.world import HELD_OUT, HIDDEN, RIGHT, case_of  # noqa: E402
from toolguild.agent.improvement.artefacts import Lesson  # noqa: E402
from toolguild.registry import Registry, verify  # noqa: E402
from toolguild.registry.improvement import ChangeKind, NewChange  # noqa: E402
from toolguild.sandbox.local import LocalSandbox  # noqa: E402

_TOPICS = len(RIGHT)


@pytest.fixture(scope="module")
def sandbox():
    with LocalSandbox(size=1) as opened:
        yield opened


def under_attack(registry: Registry, sandbox: LocalSandbox, clock, proposals: int):
    return attack.Attack(
        registry,
        sandbox,
        clock,
        proposals,
        held_out=HELD_OUT[:_TOPICS],
        hidden=HIDDEN[:_TOPICS],
    )


def test_sixty_proposals_regress_nothing_and_each_change_is_undone_whole(
    tmp_path: Path, sandbox
) -> None:
    clock = attack.Clock()
    with attack.desk(tmp_path / "tools.db", clock) as registry:
        attacked = under_attack(registry, sandbox, clock, 60)
        asyncio.run(attacked.run())
        total = attacked.total
        assert total.proposed == 60
        assert total.regressions == attacked.unexplained == 0
        assert min(total.made, total.by_gates, total.on_tasks, total.held) > 0
        undone = undo_each(registry, attacked.made)
        assert undone.changes == total.made == len(attacked.made)
        assert undone.with_consequences > 0
        assert undone.failures == {}
        assert verify(registry).ok


def test_a_regression_that_was_made_would_be_seen(tmp_path: Path, sandbox) -> None:
    """What the benchmark counts is measured by itself, whatever the loop made of it."""
    clock = attack.Clock()
    with attack.desk(tmp_path / "tools.db", clock) as registry:
        attacked = under_attack(registry, sandbox, clock, 0)
        asyncio.run(attacked.run())
        bad = Lesson(lesson="For refunds, double the total.", task="", error="").artefact
        registry.improvements.apply(NewChange(attack.AGENT, ChangeKind.LESSONS, "bad", (bad,)))
        after = asyncio.run(attacked._measured())
        assert after.is_worse_than(attacked.scores[0])
        assert after.critical == 0.0


def test_a_change_that_is_not_undone_whole_would_be_seen(tmp_path: Path) -> None:
    with attack.desk(tmp_path / "tools.db", attack.Clock()) as registry:
        changes = registry.improvements.changes(attack.AGENT)
        assert oracle.present(registry, attack.AGENT) == oracle.without(registry, changes, ())
        assert oracle.present(registry, attack.AGENT) != oracle.without(registry, changes, (1,))


def test_what_is_removed_and_added_again_is_told_once(tmp_path: Path) -> None:
    with attack.desk(tmp_path / "tools.db", attack.Clock()) as registry:
        added = Lesson(lesson="For quotes, subtract the discount.", task="", error="").artefact
        adds = NewChange(attack.AGENT, ChangeKind.LESSONS, "again and again", adds=(added,))
        registry.improvements.apply(adds)
        removes = NewChange(attack.AGENT, ChangeKind.LESSONS, "away", removes=(added.digest,))
        removed = registry.improvements.apply(removes)
        registry.improvements.apply(adds)
        made = {change.number: "a test" for change in registry.improvements.changes(attack.AGENT)}
        assert removed.number in made
        assert undo_each(registry, made).failures == {}


def test_what_harms_live_work_is_undone_by_itself(tmp_path: Path, sandbox) -> None:
    found = asyncio.run(drops.drops(tmp_path, sandbox, harmed=5, deployments=1))
    assert len(found.runs) == 1


def test_right_answers_are_what_is_said_to_be_right() -> None:
    evaluator = case_of("quotes", 0).evaluator
    assert asyncio.run(evaluator.score("", "989")).value == 1.0
