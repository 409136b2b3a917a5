"""The programs in the shared corpora: ordinary ones work, hostile ones end, and leave nothing."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import toolguild
from toolguild.policies import Tier
from toolguild.sandbox import Limits, Outcome, Program, Sandbox, Status, open_sandbox

pytestmark = pytest.mark.traces

CANARY = "canary-7f3a9c"
_BESIDE = Path(toolguild.__file__).resolve().parent.parent / "shared"
SHARED = Path(os.environ.get("TOOLGUILD_SHARED", _BESIDE))


def rows(name: str) -> list[dict[str, Any]]:
    path = SHARED / "corpora" / name
    if not path.is_file():
        return []
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


# Left out: tools that work on files, for which there is no place in a sandbox yet.
BENIGN = [
    row for row in rows("benign.jsonl") if "{dir}" not in json.dumps([row["code"], row["cases"]])
]
HOSTILE = [row for row in rows("escapes.jsonl") if row["category"].startswith("runtime/")]
FOLLOW_UP = Program("import math\ndef tool(): return [math.pi, sum(range(10))]", "tool")


@pytest.fixture(scope="module", autouse=True)
def corpora_present() -> None:
    if not BENIGN or not HOSTILE:
        pytest.skip(f"no corpora in {SHARED}; set TOOLGUILD_SHARED to where they are")


@pytest.fixture(scope="module")
def canary_sandbox(kind: str) -> Iterator[Sandbox]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SBX_CANARY", CANARY)
        with open_sandbox("docker" if kind == "docker" else "local", size=1) as sandbox:
            yield sandbox


@pytest.mark.parametrize("row", BENIGN, ids=lambda row: row["name"])
def test_ordinary_tools_give_what_is_expected(canary_sandbox, row) -> None:
    for case in row["cases"]:
        program = Program(row["code"], "tool")
        outcome = canary_sandbox.run(program, case["args"], tier=Tier(row["tier"]))
        assert outcome.status is Status.OK, outcome.error
        assert outcome.value == case["expected"]


@pytest.mark.parametrize("row", HOSTILE, ids=lambda row: f"{row['id']} {row['technique']}")
def test_hostile_tools_end_and_harm_nothing(canary_sandbox, kind, row) -> None:
    if row["danger"] == "high" and kind != "docker":
        pytest.skip("run in a container only")
    outcome = canary_sandbox.run(
        Program(row["code"], "tool"), {}, tier=Tier(row["tiers"][0]), limits=Limits(wall_s=0.6)
    )
    assert isinstance(outcome, Outcome)
    assert CANARY not in repr(outcome)
    assert outcome.value != 42  # what those rows try to pass for a result
    follow_up = canary_sandbox.run(FOLLOW_UP, {}, tier=Tier.SANDBOX)
    assert follow_up.value == [3.141592653589793, 45], follow_up
    for left in ("/tmp/escape_out", "/tmp/late_write", "/tmp/unpickled_on_host", "/tmp/w.txt"):
        assert not Path(left).exists()
