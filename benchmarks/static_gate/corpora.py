"""The programs of `../shared/corpora`: attempts to get out, and ordinary tools."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import toolguild

__all__ = ["Escape", "OrdinaryTool", "corpora_folder", "escapes", "ordinary_tools"]

_BESIDE = Path(toolguild.__file__).resolve().parent.parent / "shared"
_STATIC = "static-bypass/"


@dataclass(frozen=True, slots=True)
class Escape:
    """A program that tries to get past a checker."""

    id: str
    category: str
    code: str
    proof: str
    """What shows that it got out: `canary` or `pid` come back, or `contains:...`, or `none`."""
    tiers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class OrdinaryTool:
    """A tool that has to pass."""

    id: str
    code: str
    tier: str


def corpora_folder() -> Path:
    """Return where the corpora are: beside the repository, or below `$TOOLGUILD_SHARED`."""
    return Path(os.environ.get("TOOLGUILD_SHARED", _BESIDE)) / "corpora"


def escapes() -> list[Escape]:
    """Return the programs that a static check has to refuse."""
    return [
        Escape(row["id"], row["category"], row["code"], row["proof"], tuple(row["tiers"]))
        for row in _rows("escapes.jsonl")
        if row["category"].startswith(_STATIC)
    ]


def ordinary_tools() -> list[OrdinaryTool]:
    """Return the tools that a check has to let pass."""
    return [OrdinaryTool(row["id"], row["code"], row["tier"]) for row in _rows("benign.jsonl")]


def _rows(name: str) -> list[dict[str, Any]]:
    text = (corpora_folder() / name).read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]
