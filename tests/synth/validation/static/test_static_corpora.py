"""The safety rules against programs that try to get out, and against ordinary tools."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

import toolguild
from toolguild.policies import Tier
from toolguild.synth.validation.static import SAFETY_FAMILIES, check_source, refused

pytestmark = pytest.mark.traces

_BESIDE = Path(toolguild.__file__).resolve().parent.parent / "shared"
SHARED = Path(os.environ.get("TOOLGUILD_SHARED", _BESIDE))

NOT_REFUSED: set[tuple[str, str]] = set()
"""Rows and tiers of static bypasses that pass; each would stand here with its reason."""

REFUSED_THOUGH_ORDINARY: set[str] = set()
"""Ordinary tools that are refused; each would stand here with its reason."""


def rows(name: str) -> list[dict[str, Any]]:
    path = SHARED / "corpora" / name
    if not path.is_file():
        pytest.skip(f"no corpora in {SHARED}; set TOOLGUILD_SHARED to where they are")
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def is_refused(source: str, tier: str) -> bool:
    return refused(check_source(source, Tier(tier), families=SAFETY_FAMILIES))


def test_static_bypasses_are_refused_at_every_tier_they_apply_to() -> None:
    hostile = [r for r in rows("escapes.jsonl") if r["category"].startswith("static-bypass/")]
    assert hostile
    passed = {
        (row["id"], tier)
        for row in hostile
        for tier in row["tiers"]
        if not is_refused(row["code"], tier)
    }
    assert passed == NOT_REFUSED


def test_ordinary_tools_pass_at_their_tier() -> None:
    ordinary = rows("benign.jsonl")
    wrongly = {row["id"] for row in ordinary if is_refused(row["code"], row["tier"])}
    assert wrongly == REFUSED_THOUGH_ORDINARY
