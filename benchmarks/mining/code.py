"""How much shorter agents' programs get by tools made of them, beside Stitch.

The tasks are parted in two halves; all runs of a task, of both models, are in one. Tools are made
of the programs of one half and put into those of the other, and into those that they were made of,
as library learners report it. A program is all code of one run; its size is that of the text which
`ast.unparse` writes for it, or of the text itself where it does not parse. Every program counts,
rewritten or not, and so does the full text of every tool in the library.

Nothing is tuned to the half that is measured: tools are chosen on the half that they were made of,
until each saves more there than its own text is long. For the other half only what several tasks
need is mined, by the thresholds that `toolguild mine` has; for the same half also what the runs of
one task share.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import cache

from benchmarks.mining.stitch import learn, legal_tools, require_stitch
from benchmarks.sandbox.report import Bound
from benchmarks.sandbox.tables import table
from toolguild.sandbox import Json, Limits, Sandbox
from toolguild.synth.drafting import Draft, draft_tool, tool_names
from toolguild.synth.mining import CodeMiner, MiningSettings, RepeatedCode
from toolguild.synth.mining.programs import parse_session
from toolguild.synth.proving import prove
from toolguild.synth.rewriting import CodeTool, MeasuredCode, measure_code, tokens_of
from toolguild.synth.spellings import group_spellings
from toolguild.synth.traces import Trace
from toolguild.synth.validation import ValidationSettings

__all__ = ["CodePart", "code_part"]

_LEAST_OTHER = 1.05
_LEAST_SAME = 1.12
_MOST = 400
"""Opportunities that a miner may return: what is chosen is decided by what they save."""
_ACROSS_TASKS = MiningSettings(max_opportunities=_MOST)
_WITHIN_TASKS = replace(_ACROSS_TASKS, definition_support=1)
_PROOF = ValidationSettings(inputs=50, crowd=200, mutants=0, limits=Limits(wall_s=1.0))
_ROUNDS = 4
"""Times that tools which do not pay are left out and the others are measured again."""


_WHAT_IS_WHAT = """\
- compression: characters of all programs, as `ast.unparse` writes them, over those of the
  rewritten ones and the full text of the library; programs that nothing is put into, that do not
  parse or that the sandbox cannot run count as they are
- uses: each was seen, in the sandbox, to change nothing of what its program prints and how its
  snippets end; those refused did change something, or their program cannot be run (not run: how
  many)
- proven: every tool passed validation; drafted: like Stitch's, they are only seen to change nothing
- Stitch: those of its abstractions that are legal Python functions, without docstrings, put in and
  checked in the same way\
"""


@dataclass(frozen=True, slots=True)
class _Row:
    """What a library does to the programs of one half."""

    library: str
    learnt_from: str
    measured_on: str
    tools: list[str]
    library_characters: int
    library_tokens: int
    measured: MeasuredCode

    @property
    def compression(self) -> float:
        """Size before over size after, the library counted: in characters."""
        return self.measured.compression(self.library_characters)

    @property
    def compression_in_tokens(self) -> float:
        """The same in lexical tokens."""
        after = self.measured.tokens_after + self.library_tokens
        return self.measured.tokens_before / after

    def as_json(self) -> dict[str, Json]:
        """Return everything but the single uses."""
        measured = self.measured
        tallies: dict[str, Json] = {
            ref: {**asdict(tally)} for ref, tally in sorted(measured.tallies.items())
        }
        return {
            "library": self.library,
            "learnt_from": self.learnt_from,
            "measured_on": self.measured_on,
            "compression": round(self.compression, 4),
            "compression_in_tokens": round(self.compression_in_tokens, 4),
            "library_characters": self.library_characters,
            "characters": [measured.before, measured.after],
            "tokens": [measured.tokens_before, measured.tokens_after],
            "programs": measured.programs,
            "rewritten": measured.rewritten,
            "not_run": measured.not_run,
            "uses": len(measured.uses),
            "uses_refused": len(measured.refused),
            "tools": tallies,
        }


@dataclass(slots=True)
class CodePart:
    """What was measured of code."""

    rows: list[_Row] = field(default_factory=list)
    stitch: list[tuple[str, float, int, int]] = field(default_factory=list)
    """For each half: Stitch's own ratio, its abstractions, and how many are Python."""

    def bounds(self) -> list[Bound]:
        """Return what must hold."""
        return [
            Bound(
                f"code, {row.learnt_from} to {row.measured_on}: compression",
                "",
                "",
                row.compression,
                _LEAST_SAME if row.learnt_from == row.measured_on else _LEAST_OTHER,
                "times",
                at_least=True,
            )
            for row in self.rows
            if row.library != "Stitch"
        ]

    def as_json(self) -> dict[str, Json]:
        """Return everything but the single uses."""
        return {
            "rows": [row.as_json() for row in self.rows],
            "stitch": [[*one] for one in self.stitch],
        }

    def tables(self) -> str:
        """Return the tables in Markdown."""
        shown = [
            (
                row.library,
                row.learnt_from,
                row.measured_on,
                f"{row.compression:.3f}",
                f"{row.compression_in_tokens:.3f}",
                f"{row.measured.before:,}",
                f"{row.measured.after:,}",
                f"{row.library_characters:,} ({len(row.tools)} tools)",
                f"{row.measured.rewritten} of {row.measured.programs}",
                str(len(row.measured.uses)),
                str(len(row.measured.refused)),
                str(row.measured.not_run),
            )
            for row in self.rows
        ]
        head = (
            *("library", "learnt from", "measured on", "compression", "in tokens"),
            *("characters", "rewritten", "library", "programs rewritten"),
            *("uses", "refused", "not run"),
        )
        stitch = [
            (half, f"{ratio:.2f}", str(found), str(legal))
            for half, ratio, found, legal in self.stitch
        ]
        boxes = [
            (row.library, f"{row.learnt_from} to {row.measured_on}", ", ".join(row.tools))
            for row in self.rows
        ]
        return "\n\n".join(
            [
                "### Code: how many times shorter all programs are, the library counted",
                table(head, shown),
                _WHAT_IS_WHAT,
                "### Stitch's own figure: cost of its terms before over after, without the library",
                table(("half", "ratio", "abstractions", "legal Python"), stitch),
                "### The libraries",
                table(("library", "halves", "tools"), boxes, numbers=False),
            ]
        )


def code_part(traces: Sequence[Trace], sandbox: Sandbox) -> CodePart:
    """Measure both directions, and both halves by themselves.

    Raises:
        SandboxUnavailableError: nothing can be run.
        ModuleNotFoundError: `stitch-core` is not installed.
    """
    require_stitch()
    part = CodePart()
    halves = _halves(traces)
    for name, half in halves.items():
        (other,) = halves.keys() - {name}
        unseen, same = {other: halves[other]}, {name: half}
        part.rows += _ours(name, half, unseen, sandbox, _ACROSS_TASKS, proven=True)
        part.rows += _ours(name, half, same, sandbox, _WITHIN_TASKS, proven=False)
        _tell(f"{name}: Stitch")
        sessions = [session for trace in half if (session := parse_session(trace)).snippets]
        learned = learn(sessions)
        legal = legal_tools(learned, sessions)
        part.stitch.append((name, learned.ratio, len(learned.bodies), len(legal)))
        chosen, _ = _chosen(legal, half, sandbox)
        part.rows += [
            _row("Stitch", name, on, chosen, measure_code(chosen, halves[on], sandbox))
            for on in (other, name)
        ]
    return part


def _halves(traces: Sequence[Trace]) -> dict[str, list[Trace]]:
    tasks = sorted({trace.task.id for trace in traces})
    number = {task: place for place, task in enumerate(tasks)}
    return {
        name: [trace for trace in traces if number[trace.task.id] % 2 == parity]
        for name, parity in (("half A", 0), ("half B", 1))
    }


def _ours(
    name: str,
    half: Sequence[Trace],
    others: dict[str, list[Trace]],
    sandbox: Sandbox,
    settings: MiningSettings,
    *,
    proven: bool,
) -> list[_Row]:
    _tell(f"{name}: mining for {', '.join(others)}")
    found = _mined(half, sandbox, settings)
    names = dict(zip(map(id, found), tool_names(found), strict=True))
    drafts = {
        draft.name: (opportunity, draft)
        for opportunity in found
        if isinstance(draft := draft_tool(opportunity, sandbox, names[id(opportunity)]), Draft)
    }
    tools = [tool for _, draft in drafts.values() if (tool := CodeTool.of(draft.name, draft))]
    _tell(f"{name}: choosing among {len(tools)} tools")
    likely, known = _chosen(tools, half, sandbox)
    if proven:
        _tell(f"{name}: proving {len(likely)} tools")
        proofs = [prove(drafts[tool.name][0], sandbox, _PROOF, tool.name) for tool in likely]
        passed = [proof.draft for proof in proofs if proof.passed and proof.draft]
        likely = [tool for draft in passed if (tool := CodeTool.of(draft.name, draft))]
        likely, known = _chosen(likely, half, sandbox)
    rows = []
    for other, runs in others.items():
        measured = known if runs is half else measure_code(likely, runs, sandbox)
        label = "toolguild, proven" if proven else "toolguild, drafted"
        rows.append(_row(label, name, other, likely, measured))
    return rows


def _mined(half: Sequence[Trace], sandbox: Sandbox, settings: MiningSettings) -> list[RepeatedCode]:
    miner = CodeMiner(settings)
    for trace in half:
        miner.add(trace)

    def merge(definitions: Sequence[RepeatedCode]) -> list[RepeatedCode]:
        # What was written once saves nothing, however few tasks are asked for.
        return [one for one in group_spellings(definitions, sandbox) if len(one.occurrences) > 1]

    return miner.mine(merge=merge)


def _chosen(
    tools: Sequence[CodeTool], half: Sequence[Trace], sandbox: Sandbox
) -> tuple[list[CodeTool], MeasuredCode]:
    """Leave out what does not pay on the half that the tools were made of, until all else does."""
    chosen = [*tools]
    measured = measure_code(chosen, half, sandbox)
    for _ in range(_ROUNDS):
        paying = [
            tool
            for tool in chosen
            if measured.tallies[tool.ref].characters > len(_text(tool.source))
        ]
        if len(paying) == len(chosen):
            break
        chosen = paying
        measured = measure_code(chosen, half, sandbox)
    return chosen, measured


def _row(
    library: str, half: str, other: str, chosen: Sequence[CodeTool], measured: MeasuredCode
) -> _Row:
    texts = [_text(tool.source) for tool in chosen]
    return _Row(
        library,
        half,
        other,
        [tool.name for tool in chosen],
        sum(map(len, texts)),
        sum(map(tokens_of, texts)),
        measured,
    )


@cache
def _text(source: str) -> str:
    """Return a tool's text as `ast.unparse` writes it, docstring included, as programs are."""
    return ast.unparse(ast.parse(source))


def _tell(doing: str) -> None:
    print(f"code, {doing}", file=sys.stderr, flush=True)
