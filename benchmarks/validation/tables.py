"""What was measured, as tables for people."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from benchmarks.sandbox.report import Bound
from benchmarks.sandbox.tables import about_table, table
from benchmarks.static_gate.verdicts import Verdicts
from benchmarks.validation.admission import Admission
from benchmarks.validation.corpora import Corpora
from benchmarks.validation.faults import Judged
from benchmarks.validation.proposer import KINDS
from benchmarks.validation.report import Originals, Report, share, tool_row
from benchmarks.validation.speed import INPUTS, Speed

__all__ = ["markdown"]

_MAX_LISTED = 200


def markdown(report: Report) -> str:
    """Return the tables for people."""
    parts = [about_table(report.about), "### Bounds of validation", _bounds(report.bounds)]
    if report.originals:
        parts += _originals(report.originals)
    if report.faults is not None:
        parts += _faults(report.faults)
    if report.admissions is not None:
        parts += _admissions(report.admissions)
    if report.corpora:
        parts += _corpora(report.corpora)
    if report.speed:
        parts += _speed(report.speed)
    return "\n\n".join(part for part in parts if part)


def _bounds(bounds: Sequence[Bound]) -> str:
    rows = [
        (
            bound.what,
            f"{'>=' if bound.at_least else '<='} {bound.limit:g} {bound.unit}",
            f"{bound.measured:.4g} {bound.unit}",
            "kept" if bound.kept else "BROKEN",
        )
        for bound in bounds
    ]
    return table(("bound", "limit", "measured", ""), rows)


# --- real tools


def _originals(originals: Originals) -> list[str]:
    rows = [tuple(map(str, tool_row(tool).values())) for tool in originals.tools]
    head = ("tool", "log", "kind", "cases", "lines")
    refused = [f"- {name}: {why}" for name, why in originals.refused.items()]
    return ["### Real tools", table(head, rows), "\n".join(refused)]


# --- faults


def _faults(faults: Sequence[Judged]) -> list[str]:
    real = [one for one in faults if not one.equivalent]
    operators = Counter(one.fault.mutant.operator for one in real)
    refused = Counter(one.fault.mutant.operator for one in real if one.refused_by)
    rows: list[tuple[str, ...]] = [
        (name, str(count), str(refused[name]), f"{share(refused[name], count):.0f}")
        for name, count in sorted(operators.items())
    ]
    total = (len(real), sum(refused.values()))
    rows.append(("all", *map(str, total), f"{share(total[1], total[0]):.1f}"))
    checks = Counter(str(one.refused_by[0]) for one in real if one.refused_by)
    equal = [one for one in faults if one.equivalent]
    alarms = [one for one in equal if one.refused_by]
    left_out = (
        "Changes that make no difference (`benchmarks/validation/equivalent.toml`) are not counted:"
        f" {len(equal)}, of which {len(alarms)} refused all the same."
    )
    missed = [
        f"- {one.fault.id} {one.fault.tool.name} ({one.fault.mutant.operator}):"
        f" {one.fault.difference}"
        for one in real
        if not one.refused_by
    ]
    return [
        "### Seeded faults",
        table(("operator", "faults", "refused", "%"), rows),
        table(("refused first by", "faults"), [(n, str(c)) for n, c in checks.most_common()]),
        left_out,
        "Faults that validation let pass:" if missed else "",
        _listed(missed),
    ]


# --- bad tools


def _admissions(admissions: Sequence[Admission]) -> list[str]:
    checks = Counter(one.refused_by for one in admissions if one.refused_by)
    names = [name for name, _ in checks.most_common()]
    rows = []
    for kind in KINDS:
        own = [one for one in admissions if one.bad.kind == kind]
        by = Counter(one.refused_by for one in own)
        counts = (len(own), by[""], *(by[name] for name in names))
        rows.append((kind, *(str(count or "") for count in counts)))
    counted = [len(admissions), len(admissions) - checks.total(), *(checks[name] for name in names)]
    rows.append(("all", *map(str, counted)))
    got_in = Counter((one.bad.kind, one.bad.variant) for one in admissions if one.is_registered)
    listed = [
        f"- {kind}: {variant}" + (f" ({count} times)" if count > 1 else "")
        for (kind, variant), count in sorted(got_in.items())
    ]
    return [
        "### Bad tools",
        table(("kind", "handed in", "registered", *names), rows),
        "Registered:" if listed else "",
        _listed(listed),
    ]


# --- corpora and speed


def _corpora(corpora: Corpora) -> list[str]:
    rows = [
        ("attempts", str(corpora.attempts)),
        ("refused by the gate at each of their tiers", str(len(corpora.refused))),
        ("passed at some tier and run there", str(len(corpora.run))),
        ("whose proof came back", str(len(corpora.escaped))),
        ("not run, for want of a container", str(len(corpora.not_run))),
        ("ordinary tools", str(corpora.ordinary)),
        ("refused, or without a value", str(len(corpora.ordinary_refused))),
        ("with another value", str(len(corpora.ordinary_wrong))),
    ]
    head = ("checker", "escapes", "passed", "hard ones", "ordinary tools", "refused or wrong", "")
    verdicts = [_verdict_row(one) for one in (corpora.gate, *corpora.peers)]
    named = {
        "Escaped": corpora.escaped,
        "Passed by the gate, not proven harmless": corpora.unproven,
        "Ordinary tools refused": corpora.ordinary_refused,
        "Ordinary tools wrong": corpora.ordinary_wrong,
    }
    rest = [f"- {what}: {', '.join(names)}" for what, names in named.items() if names]
    return [
        "### Corpora",
        table(("gate and sandbox together", "rows"), rows),
        table(head, verdicts),
        "\n".join(rest),
    ]


def _verdict_row(one: Verdicts) -> tuple[str, ...]:
    if not one.escapes:
        return one.name, "", "", "", "", "", f"not measured: {one.note}"
    counts = (one.escapes, len(one.passed), len(one.hard), one.ordinary, len(one.refused))
    return one.name, *map(str, counts), one.note


def _speed(speed: Speed) -> list[str]:
    rows = [("static gate, 40 lines", "", f"{speed.gate_ms:.2f}", "")]
    rows += [
        (f"validation, {name}", str(len(times.ms)), f"{times.p50:.0f}", f"{times.ms[-1]:.0f}")
        for name, times in speed.validation.items()
    ]
    why_not = [f"- {kind} is not measured: {why}" for kind, why in speed.why_not.items()]
    what = f"Validation is of one pure function, `is_prime`, with {INPUTS} generated inputs, warm."
    head = ("milliseconds", "n", "p50", "max")
    return ["### Speed of validation", table(head, rows), what, "\n".join(why_not)]


def _listed(lines: Sequence[str]) -> str:
    more = len(lines) - _MAX_LISTED
    return "\n".join([*lines[:_MAX_LISTED], *([f"- and {more} more"] if more > 0 else [])])
