"""The shared corpora through a whole sandbox, with the wall on and the static gate off."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import toolguild
from toolguild.policies import Capability, Tier
from toolguild.sandbox import Access, Limits, Program, Sandbox, Status, open_sandbox
from toolguild.sandbox.access import WORKSPACE

pytestmark = pytest.mark.traces

CANARY = "canary-7f3a9c"
_BESIDE = Path(toolguild.__file__).resolve().parent.parent / "shared"
SHARED = Path(os.environ.get("TOOLGUILD_SHARED", _BESIDE))

NEEDS = {
    "files-read": frozenset({Capability.READ}),
    "files-write": frozenset({Capability.READ, Capability.WRITE}),
}
"""What ordinary tools need, by their category."""
LEAVES = {
    "nothing": frozenset[Capability](),
    "reading": NEEDS["files-read"],
    "writing": NEEDS["files-write"],
}
WRITES_ONLY = {"S202", "S204"}
"""Rows that do nothing but write a file: with leave to, they get their own to write to."""


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


def test_ordinary_tools_are_not_refused_and_give_what_is_expected(canary_sandbox, tmp_path) -> None:
    wrong = {}
    for row in BENIGN:
        folder = tmp_path / row["id"]
        folder.mkdir()
        folder.chmod(0o755)
        for name, content in row["files"].items():
            (folder / name).write_text(content, encoding="utf-8")
        program = Program(row["code"], "tool", needs=NEEDS.get(row["category"], frozenset()))
        # Behind the wall as well, what has no wall in its own tier.
        for tier in {Tier.SANDBOX, Tier(row["tier"])}:
            for case in json.loads(json.dumps(row["cases"]).replace("{dir}", WORKSPACE)):
                outcome = canary_sandbox.run(
                    program, case["args"], tier=tier, access=Access(workspace=folder)
                )
                if outcome.status is not Status.OK or outcome.value != case["expected"]:
                    wrong[row["name"], tier] = outcome
    assert not wrong


def test_a_program_without_leave_is_told_what_it_lacks(canary_sandbox) -> None:
    [row] = [row for row in BENIGN if row["name"] == "open_and_count"]
    program = Program(row["code"], "tool")
    outcome = canary_sandbox.run(program, row["cases"][0]["args"], tier=Tier.SANDBOX)
    assert outcome.status is Status.ERROR
    assert outcome.error == (
        "RefusedError: line 3: `open` needs the capability `read`: it must be among the program's"
        " needs."
    )


@pytest.mark.parametrize("needs", LEAVES.values(), ids=LEAVES.keys())
def test_no_bypass_of_the_static_gate_brings_its_proof_back(
    canary_sandbox, tmp_path, needs
) -> None:
    tmp_path.chmod(0o755)
    before = {*Path("/tmp").glob("sbx_written_*")}
    for row in HOSTILE:
        outcome = canary_sandbox.run(
            Program(row["code"], "tool", needs=needs),
            {},
            tier=Tier.SANDBOX,
            limits=Limits(wall_s=2),
            access=Access(workspace=tmp_path),
        )
        name = f"{row['id']} {row['technique']}: {outcome}"
        shown = f"{outcome.value!r} {outcome.error} {outcome.stdout}"
        assert CANARY not in shown, name
        proof = row["proof"].partition("contains:")[2]
        if Capability.WRITE not in needs or row["id"] not in WRITES_ONLY:
            assert not (outcome.ok and proof and proof in shown), name
        if row["proof"] == "pid":
            # Neither of a process as we number it, nor as it is numbered inside.
            assert outcome.value is None, name
    assert {*Path("/tmp").glob("sbx_written_*")} <= before
    assert not [*tmp_path.iterdir()]
