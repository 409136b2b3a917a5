"""A registry with something of everything in it, to be tampered with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from benchmarks.registry.databases import spec
from toolguild.policies import Capability, Tier
from toolguild.registry import Answer, CallStatus, Registry, State, Use
from toolguild.registry.improvement import Artefact, ArtefactKind, ChangeKind, NewChange, ScoredRun

__all__ = ["fill"]

_TOOLS, _VERSIONS, _USES, _DRAFTS, _VALIDATIONS, _CHANGES = 8, 3, 80, 6, 4, 8
_STATUSES = tuple(CallStatus)


def fill(where: str) -> None:
    """Make a registry: versions with reports and vectors, drafts, uses, and changes of state."""
    with Registry.open(where, actor="benchmark") as registry:
        versions = [
            registry.register(
                spec(f"tool_{tool}", f"Count on by {number}."),
                provenance={"origin": "benchmark", "trace": f"run-{tool}"},
                evidence={"seed": number},
                report={"tool": tool, "checks": ["static gate"] * (number + 1), "seed": number},
            ).version.digest
            for tool in range(_TOOLS)
            for number in range(_VERSIONS)
        ]
        for number in range(_DRAFTS):
            draft = spec(f"draft_{number}", "Not good enough.")
            registry.reject(draft, ["too slow", "wrong"], {"seed": number}, {"draft": number})
        for number in range(_USES):
            registry.record(_use(registry, versions, number))
            if number % 20 == 10:
                registry.set_tier(f"tool_{number % _TOOLS}", Tier.RESTRICTED, why=f"{number} uses")
        registry.set_state("tool_1", State.QUARANTINED, why="drifts")
        composite = spec("composite", "Count on, twice.")
        registry.register(replace(composite, calls=("tool_2", "tool_3")))
        made = {digest: [1.0, 0.5, float(place)] for place, digest in enumerate(versions)}
        for digests in (versions[:10], versions[10:], versions[5:12]):
            registry.keep_vectors("benchmark", {digest: made[digest] for digest in digests})
        registry.governance.alias("tool_3@1", "stable", why="it counts")
        registry.governance.alias("tool_4", "stable", why="it counts")
        for number in range(_VALIDATIONS):
            evidence, report = {"seed": -number}, {"checks": [], "seed": -number}
            registry.add_evidence(f"tool_{number}", evidence, report, why="counted again")
        _improve(registry)
        asked = [registry.governance.ask(f"tool_{tool}", why="it works").id for tool in range(2, 6)]
    with Registry.open(where, actor="somebody else") as registry:
        registry.governance.answer(asked[0], Answer.APPROVED, why="so it does")
        registry.governance.answer(asked[1], Answer.DENIED, why="not yet")
        # Later ones, which no row of the trail names.
        for number in range(_USES, _USES + 10):
            registry.record(_use(registry, versions, number))


def _improve(registry: Registry) -> None:
    """Let two agents learn from scored runs, and undo some of it."""
    improvements = registry.improvements
    for number in range(_CHANGES):
        agent = f"agent_{number % 2}"
        lesson = Artefact(ArtefactKind.LESSON, {"lesson": f"Count to {number}."})
        run, _ = improvements.record(
            ScoredRun(agent, f"run-{number}", "Count.", number / _CHANGES, registry.now())
        )
        new = NewChange(agent, ChangeKind.LESSONS, "it failed", (lesson,), runs=(run.number,))
        improvements.apply(new)
    improvements.undo(1, why="it did not help")


def _use(registry: Registry, versions: Sequence[str], number: int) -> Use:
    return Use(
        versions[number % len(versions)],
        f"sha256:{number:064}",
        _STATUSES[number % len(_STATUSES)],
        0.001 * number,
        registry.now(),
        ran=bool(number % 5),
        task=f"task-{number % 7}" if number % 3 else None,
        error="" if number % 4 else "ValueError: no",
        effects=frozenset({Capability.READ}),
        caller=versions[0] if number % 6 == 0 else None,
    )
