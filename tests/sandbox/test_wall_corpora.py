"""The shared corpora through a whole sandbox, with the wall on and the static gate off."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import toolguild
from toolguild.policies import Tier
from toolguild.sandbox import Limits, Program, Sandbox, Status, open_sandbox

pytestmark = pytest.mark.traces

CANARY = "canary-7f3a9c"
_BESIDE = Path(toolguild.__file__).resolve().parent.parent / "shared"
SHARED = Path(os.environ.get("TOOLGUILD_SHARED", _BESIDE))

ON_FILES = {"open_and_count", "pathlib_read_csv", "write_sorted_csv"}
"""Ordinary tools that work on files, for which there is no place in a sandbox yet."""


def rows(name: str) -> list[dict[str, Any]]:
    path = SHARED / "corpora" / name
    if not path.is_file():
        return []
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


BENIGN = rows("benign.jsonl")
HOSTILE = [
    row
    for row in rows("escapes.jsonl")
    if row["category"].startswith("static-bypass/") and "sandbox" in row["tiers"]
]


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


def test_ordinary_tools_are_not_refused_and_give_what_is_expected(canary_sandbox) -> None:
    wrong = {}
    for row in BENIGN:
        for case in row["cases"]:
            program = Program(row["code"], "tool")
            outcome = canary_sandbox.run(program, case["args"], tier=Tier(row["tier"]))
            if outcome.status is not Status.OK or outcome.value != case["expected"]:
                wrong[row["name"]] = outcome
    assert set(wrong) == ON_FILES, wrong


def test_the_wall_says_of_files_that_there_are_none(canary_sandbox) -> None:
    [row] = [row for row in BENIGN if row["name"] == "open_and_count"]
    program = Program(row["code"], "tool")
    outcome = canary_sandbox.run(program, row["cases"][0]["args"], tier=Tier.SANDBOX)
    assert outcome.status is Status.ERROR
    assert "`open` needs files, and this program was given none" in outcome.error


def test_no_bypass_of_the_static_gate_brings_its_proof_back(canary_sandbox) -> None:
    for row in HOSTILE:
        outcome = canary_sandbox.run(
            Program(row["code"], "tool"), {}, tier=Tier.SANDBOX, limits=Limits(wall_s=2)
        )
        name = f"{row['id']} {row['technique']}"
        shown = f"{outcome.value!r} {outcome.error} {outcome.stdout}"
        assert CANARY not in shown, name
        proof = row["proof"].partition("contains:")[2]
        assert not (outcome.ok and proof and proof in shown), name
        if row["proof"] == "pid":
            # Neither of a process as we number it, nor as it is numbered inside.
            assert outcome.value is None, name
        assert not [*Path("/tmp").glob("sbx_written_*")], name
