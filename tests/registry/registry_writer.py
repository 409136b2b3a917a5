"""A process that registers and records until it is done; started by test_registry_processes."""

# ruff: noqa: F821 - where, worker, rounds and start come in as globals of the module
from datetime import UTC, datetime

from toolguild.policies import Tier
from toolguild.registry import CallStatus, Registry, ToolSpec, Use

PARAMETERS = {"type": "object", "properties": {}}
TIERS = list(Tier)


def spec(name, description):
    return ToolSpec(name, description, f"def {name}():\n    return 1\n", PARAMETERS, {})


if start is not None:
    start.wait(60)  # all at once, before the registry exists
with Registry.open(where, actor=f"worker-{worker}") as registry:
    shared = registry.register(spec("shared", "The same in all processes.")).version
    for number in range(rounds):
        registry.register(spec("common", f"{worker}-{number}"))
        registry.reject(spec("bad", f"{worker}-{number}"), ["no"])
        now = datetime.now(UTC)
        registry.record(Use(shared.digest, f"{worker}-{number}", CallStatus.OK, 0.1, now))
        registry.set_tier("shared", TIERS[(worker + number) % len(TIERS)], why=f"{number}")
