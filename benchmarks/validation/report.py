"""What was measured, as plain data, with the bounds that are kept or not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from benchmarks.sandbox.report import Bound
from benchmarks.validation.admission import Admission
from benchmarks.validation.corpora import Corpora
from benchmarks.validation.faults import Judged
from benchmarks.validation.proposer import KINDS, PER_KIND
from benchmarks.validation.speed import Speed
from benchmarks.validation.tools import RealTool
from toolguild.synth.proving import Proof

__all__ = ["Originals", "Report", "share", "tool_row"]

_MIN_TOOLS, _MIN_FAULTS = 40, 300
_MIN_REFUSED = 95.0
_MAX_BENIGN = 1
_MAX_GATE_MS, _MAX_VALIDATION_MS = 15.0, 1000.0


@dataclass(frozen=True, slots=True)
class Originals:
    """The real tools, and what validation says of them when it is asked again."""

    tools: Sequence[RealTool]
    failed: Sequence[Proof]
    """Opportunities that no proven tool was made of on the way."""
    refused: Mapping[str, str]
    """Tools that validation refuses as they are, or written anew by a tool for laying out code,
    with the reason."""


@dataclass(frozen=True, slots=True)
class Report:
    """One run of the benchmark; parts that were not asked for are None."""

    about: Mapping[str, str]
    originals: Originals | None = None
    faults: Sequence[Judged] | None = None
    admissions: Sequence[Admission] | None = None
    corpora: Corpora | None = None
    speed: Speed | None = None

    @property
    def bounds(self) -> list[Bound]:
        """The figures that have to be kept."""
        found = []
        if self.originals:
            originals = self.originals
            found += [
                _least("real tools", len(originals.tools), _MIN_TOOLS, "tools"),
                _most("real tools refused", len(originals.refused), 0, "tools"),
            ]
        if self.faults is not None:
            real = [one for one in self.faults if not one.equivalent]
            refused = sum(bool(one.refused_by) for one in real)
            found += [
                _least("seeded faults", len(real), _MIN_FAULTS, "faults"),
                _least("seeded faults refused", share(refused, len(real)), _MIN_REFUSED, "%"),
            ]
        if self.admissions is not None:
            got_in = sum(one.is_registered for one in self.admissions)
            wanted = PER_KIND * len(KINDS)
            found += [
                _least("bad tools handed in", len(self.admissions), wanted, "tools"),
                _most("bad tools registered", got_in, 0, "tools"),
            ]
        if self.corpora:
            refused = len(self.corpora.ordinary_refused)
            found += [
                _most("escapes passed, not proven harmless", len(self.corpora.unproven), 0, "rows"),
                _most("escapes out of gate and sandbox", len(self.corpora.escaped), 0, "rows"),
                _most("ordinary tools refused", refused, _MAX_BENIGN, "rows"),
                _most("ordinary tools wrong", len(self.corpora.ordinary_wrong), 0, "rows"),
            ]
        if self.speed:
            found.append(_most("static gate, p50", self.speed.gate_ms, _MAX_GATE_MS, "ms"))
            found += [
                _most(f"validation, p50, {name}", times.p50, _MAX_VALIDATION_MS, "ms")
                for name, times in self.speed.validation.items()
                if name == "docker, as shipped"
            ]
        return found

    @property
    def broken(self) -> list[str]:
        """The bounds that are not kept, as sentences."""
        return [str(bound).removeprefix(": ") for bound in self.bounds if not bound.kept]

    def to_json(self) -> dict[str, Any]:
        """Return everything as plain data."""
        bounds = [{**asdict(bound), "kept": bound.kept} for bound in self.bounds]
        data: dict[str, Any] = {"about": dict(self.about), "bounds": bounds}
        if self.originals:
            data["tools"] = [tool_row(tool) for tool in self.originals.tools]
            data["refused"] = dict(self.originals.refused)
            data["not_proven"] = [_reason(proof) for proof in self.originals.failed]
        if self.faults is not None:
            data["faults"] = [_fault_data(one) for one in self.faults]
        if self.admissions is not None:
            data["bad_tools"] = [
                {
                    "kind": one.bad.kind,
                    "variant": one.bad.variant,
                    "tool": one.bad.good.name,
                    "witness": one.bad.arguments,
                    "refused_by": one.refused_by,
                    "source": one.bad.source,
                }
                for one in self.admissions
            ]
        if self.corpora:
            data["corpora"] = asdict(self.corpora)
        if self.speed:
            data["speed"] = asdict(self.speed)
        return data


def _least(what: str, measured: float, limit: float, unit: str) -> Bound:
    return Bound(what, "", "", measured, limit, unit, at_least=True)


def _most(what: str, measured: float, limit: float, unit: str) -> Bound:
    return Bound(what, "", "", measured, limit, unit)


def share(part: int, whole: int) -> float:
    """Return a part in per cent; 0 of nothing."""
    return 100 * part / whole if whole else 0.0


def tool_row(tool: RealTool) -> dict[str, Any]:
    """Return what is told of a tool."""
    lines = len(tool.draft.source.splitlines())
    return {
        "tool": tool.name,
        "log": tool.log,
        "kind": tool.kind,
        "cases": len(tool.draft.cases),
        "lines": lines,
    }


def _reason(proof: Proof) -> str:
    if proof.draft is None or proof.report is None:
        return proof.reason
    return f"{proof.draft.name}: {'; '.join(proof.report.reasons)}"


def _fault_data(one: Judged) -> dict[str, Any]:
    return {
        "id": one.fault.id,
        "tool": one.fault.tool.name,
        "operator": one.fault.mutant.operator,
        "change": one.fault.difference,
        "refused_by": list(map(str, one.refused_by)),
        "equivalent": one.equivalent.why if one.equivalent else None,
    }
