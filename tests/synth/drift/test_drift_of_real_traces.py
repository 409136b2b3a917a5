"""tau-bench's airline users at another date: `address.province` has become `address.state`."""

from __future__ import annotations

import gzip
import json
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from toolguild.policies import Tier, load_profile
from toolguild.registry import Registry, ToolVersion, verify
from toolguild.sandbox import Sandbox
from toolguild.synth.drift import DriftReport, calls_of_traces, find_drift, reopen_dependents
from toolguild.synth.synthesis import mine, synthesize
from toolguild.synth.traces import read_traces
from toolguild.synth.validation import read_dossier

pytestmark = pytest.mark.traces

WHOLE = "get_user_details_with_reservations"
"""Mined: hands the whole user on, and each of the user's reservations."""
OTHERS = ("get_reservation_details_for_each", "search_direct_flight_for_each")
"""Mined: call other tools."""
COUNTS = '''
def passengers_of_user(user_id: str) -> object:
    """Return how many passengers each of a user's reservations has."""
    user = call_tool("get_user_details", {"user_id": user_id})
    return {
        one: len(call_tool("get_reservation_details", {"reservation_id": one})["passengers"])
        for one in user["reservations"]
    }
'''
"""Written by a person, over the same recordings: reads the user, and not the address."""
READS = '''
def tax_region(user_id: str) -> object:
    """Return the province that a user is billed in."""
    return call_tool("get_user_details", {"user_id": user_id})["address"]["province"]
'''
"""The same: reads nothing but what is gone."""


@pytest.fixture(scope="module")
def airline(real_traces: Path) -> Path:
    return real_traces / "tau-bench-airline"


@pytest.fixture
def log_of_2025(airline: Path, tmp_path: Path) -> Path:
    """The same runs, with the users as the later database has them."""

    def users(file: str) -> Any:
        with gzip.open(airline / file) as text:
            return json.load(text)

    before, after = users("users.json.gz"), users("users-2025.json.gz")
    texts = {json.dumps(user): json.dumps(after[name]) for name, user in before.items()}
    runs = json.loads((airline / "trajectories.json").read_text())
    answers = [
        message
        for run in runs
        for message in run["traj"]
        if message.get("name") == "get_user_details" and message["role"] == "tool"
    ]
    changed = [answer for answer in answers if answer["content"] in texts]
    assert len(changed) == len(answers) > 50
    for answer in changed:
        answer["content"] = texts[answer["content"]]
    path = tmp_path / "runs-2025.json"
    path.write_text(json.dumps(runs))
    return path


@pytest.fixture(scope="module")
def mined(
    airline: Path,
    local: Sandbox,
    register_in: Callable[..., ToolVersion],
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    """A registry with the mined tools and two written ones, all of them trusted to write."""
    path = tmp_path_factory.mktemp("airline") / "tools.db"
    opportunities = mine([airline / "trajectories.json"]).opportunities
    with Registry.open(path) as registry, ThreadPoolExecutor(2) as executor:
        list(synthesize(opportunities, registry, local, executor))
        report = registry.report(str(registry.tool(WHOLE).evidence["report"]))
        recorded = read_dossier(report, load_profile()).draft.cases
        register_in(registry, COUNTS, recorded)
        register_in(registry, READS, recorded)
        for version in registry.tools():
            registry.set_tier(version.ref, Tier.RESTRICTED, why="trusted")
    return path


@pytest.fixture
def tools(mined: Path, tmp_path: Path) -> Iterator[Registry]:
    """A copy of that registry."""
    with Registry.open(shutil.copy(mined, tmp_path)) as registry:
        yield registry


def found_in(log: Path, registry: Registry, sandbox: Sandbox, profile: str) -> DriftReport:
    traces = read_traces([log], on_problem=lambda problem: pytest.fail(str(problem)))
    return find_drift(registry, calls_of_traces(traces), sandbox, load_profile(profile))


def test_the_field_is_named_and_only_what_reads_it_is_reopened(
    tools: Registry, log_of_2025: Path, local: Sandbox
) -> None:
    before = {version.spec.name: version for version in tools.tools()}
    report = found_in(log_of_2025, tools, local, "balanced")
    [drift] = report.drifts
    assert str(drift.change) == (
        "get_user_details: address.province -> address.state, in 8 of 8 comparable calls"
    )
    assert {one.version.spec.name: one.consequence.value for one in drift.dependences} == {
        WHOLE: "re-opened",
        "tax_region": "quarantined",
        "passengers_of_user": "untouched",
    }
    assert set(reopen_dependents(tools, report)) == {f"{WHOLE}@1", "tax_region@1"}
    after = {version.spec.name: version for version in tools.tools()}
    touched = {name for name, version in after.items() if version != before[name]}
    assert touched == {WHOLE, "tax_region"}
    assert set(OTHERS) < after.keys()
    assert verify(tools).ok


@pytest.mark.parametrize("profile", ["balanced", "strict"])
def test_the_recorded_runs_themselves_are_no_drift(
    tools: Registry, airline: Path, local: Sandbox, profile: str
) -> None:
    report = found_in(airline / "trajectories.json", tools, local, profile)
    assert (report.comparable, report.drifts) == (85, ())
