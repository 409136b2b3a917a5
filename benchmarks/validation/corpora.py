"""The shared corpora on the whole way: the static gate, and what it lets pass in the sandbox."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.static_gate.corpora import corpora_folder, escapes, ordinary_tools
from benchmarks.static_gate.peers import peer_verdicts
from benchmarks.static_gate.verdicts import HARMLESS, Verdicts, gate_verdicts
from toolguild.policies import Capability, Profile, Tier, load_profile
from toolguild.sandbox import (
    Access,
    JsonObject,
    Limits,
    Mount,
    Outcome,
    Program,
    Sandbox,
    open_sandbox,
)
from toolguild.sandbox.access import WORKSPACE
from toolguild.synth.mining import canonical
from toolguild.synth.validation import SAFETY_FAMILIES, check_source, refused

__all__ = ["Corpora", "try_corpora"]

_CANARY = "canary-4b1e"
_VARIABLE = "SBX_CANARY"
_LIMITS = Limits(wall_s=5, memory_mb=128)
_STATIC = "static-bypass/"
_WRITING = "files-write"

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Corpora:
    """What became of the rows."""

    gate: Verdicts
    """The static gate alone, on the rows meant for it and on the ordinary tools."""
    peers: tuple[Verdicts, ...]
    attempts: int
    """All rows that try to get out, cheat or do damage."""
    refused: tuple[str, ...]
    """Those that the gate refuses at every tier they name."""
    run: tuple[str, ...]
    """Those that it lets pass at some tier, which run there."""
    escaped: tuple[str, ...]
    """Those of these whose proof came back."""
    not_run: tuple[str, ...]
    """Those that pass and run in a container only, where there is none."""
    ordinary: int
    ordinary_refused: tuple[str, ...]
    """Ordinary tools that the gate refuses or that do not end with a value."""
    ordinary_wrong: tuple[str, ...]
    """Ordinary tools that return another value."""

    @property
    def unproven(self) -> list[str]:
        """Rows meant for the gate that it lets pass without a proof that they get nowhere."""
        return [row for row in self.gate.passed if row not in HARMLESS]


def try_corpora(*, peers: bool, profile: Profile | None = None) -> Corpora:
    """Try every row.

    Args:
        peers: Whether other checkers are asked as well, which pip fetches.
        profile: What tools may contain.

    Raises:
        SandboxUnavailableError: nothing can be run.
    """
    profile = profile or load_profile()
    gate = gate_verdicts(escapes(), ordinary_tools(), profile)
    attempts, ordinary = _rows("escapes.jsonl"), _rows("benign.jsonl")
    passed = {
        row["id"]: [tier for tier in row["tiers"] if not _is_refused(row["code"], tier, profile)]
        for row in attempts
    }
    # Before the sandboxes open, so that the variable would be there to be found.
    with _canary(), open_sandbox("auto") as sandbox, TemporaryDirectory() as folder:
        not_run = [
            row["id"]
            for row in attempts
            if passed[row["id"]] and row["danger"] == "high" and sandbox.name != "docker"
        ]
        escaped = [
            row["id"]
            for row in attempts
            if row["id"] not in not_run
            and any(_escapes(row, tier, sandbox) for tier in passed[row["id"]])
        ]
        verdicts = {row["id"]: _ordinary(row, sandbox, Path(folder), profile) for row in ordinary}
    return Corpora(
        gate=gate,
        peers=tuple(peer_verdicts(escapes(), ordinary_tools())) if peers else (),
        attempts=len(attempts),
        refused=tuple(name for name, tiers in passed.items() if not tiers),
        run=tuple(name for name, tiers in passed.items() if tiers and name not in not_run),
        escaped=tuple(escaped),
        not_run=tuple(not_run),
        ordinary=len(ordinary),
        ordinary_refused=tuple(name for name, told in verdicts.items() if told == "refused"),
        ordinary_wrong=tuple(name for name, told in verdicts.items() if told == "wrong"),
    )


def _is_refused(code: str, tier: str, profile: Profile) -> bool:
    findings = check_source(code, Tier(tier), profile=profile, families=SAFETY_FAMILIES)
    return refused(findings)


def _escapes(row: Row, tier: str, sandbox: Sandbox) -> bool:
    """Run a row at a tier and say whether what would show its success came back."""
    outcome = sandbox.run(Program(row["code"], "tool"), {}, tier=Tier(tier), limits=_LIMITS)
    proof = row["proof"]
    if _CANARY in repr(outcome):
        return True
    if proof == "pid":
        # Its own number in a namespace that counts from 1 is no host's.
        return outcome.value == os.getpid()
    _, contains, told = proof.partition("contains:")
    return bool(contains) and outcome.ok and told in repr(outcome.value)


def _ordinary(row: Row, sandbox: Sandbox, folder: Path, profile: Profile) -> str:
    if _is_refused(row["code"], row["tier"], profile):
        return "refused"
    for case in row["cases"]:
        outcome = _run_ordinary(row, case["args"], sandbox, folder)
        if not outcome.ok:
            return "refused"
        if canonical(outcome.value) != canonical(case["expected"]):
            return "wrong"
    return "right"


def _run_ordinary(row: Row, arguments: JsonObject, sandbox: Sandbox, folder: Path) -> Outcome:
    """Run a tool on its files: a copy that it changes, or a folder that it only sees."""
    own = folder / row["id"]
    own.mkdir(exist_ok=True)
    for name, content in row["files"].items():
        (own / name).write_text(content, encoding="utf-8")
    needs, access, place = frozenset[Capability](), Access(), ""
    if row["category"] == _WRITING:
        needs, access, place = frozenset({Capability.WRITE}), Access(workspace=own), WORKSPACE
    elif row["files"]:
        needs, access, place = frozenset({Capability.READ}), Access((Mount(own, "/in"),)), "/in"
    given = json.loads(json.dumps(arguments).replace("{dir}", place))
    program = Program(row["code"], "tool", needs=needs)
    return sandbox.run(program, given, tier=Tier(row["tier"]), limits=_LIMITS, access=access)


@contextmanager
def _canary() -> Iterator[None]:
    before = os.environ.get(_VARIABLE)
    os.environ[_VARIABLE] = _CANARY
    try:
        yield
    finally:
        if before is None:
            del os.environ[_VARIABLE]
        else:
            os.environ[_VARIABLE] = before


def _rows(name: str) -> list[Row]:
    text = (corpora_folder() / name).read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]
