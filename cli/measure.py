"""`toolguild measure`: what the registry's tools would have saved in recorded runs."""

from __future__ import annotations

from pathlib import Path

import click

from toolguild.cli.console import out, plain, print_json, progress, say
from toolguild.cli.console import table as new_table
from toolguild.cli.errors import ExitCode
from toolguild.cli.logs import log_options, read_options, tell_problems
from toolguild.cli.measured_code import code_as_json, show_code
from toolguild.cli.profile import profile_option
from toolguild.cli.sandboxes import SandboxChoice, sandbox_options
from toolguild.cli.settings import registry_option
from toolguild.cli.validate import report_of
from toolguild.policies import Profile
from toolguild.registry import Registry, UnknownToolError
from toolguild.sandbox import Json, JsonObject
from toolguild.synth.drafting import OriginalCalls, OriginalEpisode
from toolguild.synth.measuring import Measured, PlannedTool, Substitution, Tally, WrittenTool
from toolguild.synth.measuring import measure as measure_tools
from toolguild.synth.plans import is_code
from toolguild.synth.rewriting import CodeTool, MeasuredCode, measure_code
from toolguild.synth.traces import Problem, read_traces
from toolguild.synth.utility import tokens_in
from toolguild.synth.validation import read_dossier

__all__ = ["measure"]


@click.command()
@log_options
@registry_option
@sandbox_options
@profile_option
def measure(
    paths: tuple[Path, ...],
    registry: str,
    sandbox: SandboxChoice,
    profile: Profile,
    as_json: bool,
    **log: str | None,
) -> int:
    """Count the calls and the code that the registry's tools would have saved in recorded runs.

    PATHS are log files, or folders of them: best of runs that the tools were not made from. A
    composite's saving counts where the tool, run in the sandbox on what was known before its first
    call, returns the recorded result of every call that it takes the place of. Besides those it may
    only read; such extra calls are counted apart. In code, calls are put in the place of what tools
    were made of; they count where the whole run, repeated in the sandbox, prints and ends as it
    does without.
    """
    with Registry.open(registry) as opened:
        composites, code_tools, others = _tools(opened, profile)
    problems: list[Problem] = []
    with sandbox.open(profile) as box, progress() as bar:
        measuring = bar.add_task("Measuring runs", total=None)
        measured = measure_tools(
            composites,
            read_traces(paths, options=read_options(log), on_problem=problems.append),
            box,
            on_progress=lambda done: bar.update(measuring, completed=done),
        )
        rewriting = bar.add_task("Rewriting code", total=None)
        code = measure_code(
            code_tools,
            # Read again and not kept: logs may be large.
            read_traces(paths, options=read_options(log), on_problem=lambda problem: None),
            box,
            on_progress=lambda done: bar.update(rewriting, completed=done),
        )
    tell_problems(problems)
    if as_json:
        print_json(_as_json(measured, code, others))
    else:
        _show(measured, code, others)
    return (
        ExitCode.DONE
        if measured.saved or measured.total.code_steps or code.saved
        else ExitCode.REFUSED
    )


def _tools(
    registry: Registry, profile: Profile
) -> tuple[list[PlannedTool | WrittenTool], list[CodeTool], int]:
    """Return the tools that call others, those made of code, and how many others there are."""
    composites: list[PlannedTool | WrittenTool] = []
    code_tools: list[CodeTool] = []
    versions = registry.tools()
    for version in versions:
        try:
            _, report = report_of(registry, version.ref)
        except UnknownToolError:
            continue
        draft = read_dossier(report, profile).draft
        spec, original = version.spec, draft.original
        if isinstance(original, OriginalCalls):
            composites.append(PlannedTool(version.ref, spec.name, spec.source, original.plan))
        elif isinstance(original, OriginalEpisode):
            composites.append(WrittenTool(version.ref, spec.name, spec.source, original))
        elif tool := CodeTool.of(version.ref, draft):
            code_tools.append(tool)
    return composites, code_tools, len(versions) - len(composites) - len(code_tools)


def _as_json(measured: Measured, code: MeasuredCode, others: int) -> JsonObject:
    total = measured.total
    tools: list[Json] = [
        {"tool": ref, **_tally(tally)} for ref, tally in sorted(measured.tallies.items())
    ]
    return {
        "traces": measured.traces,
        "calls": measured.calls,
        "share_saved": round(measured.share, 4),
        **_tally(total),
        "uses_refused": len(measured.refused),
        "not_measured": others,
        "tools": tools,
        "substitutions": [_substitution(one) for one in measured.substitutions],
        "refused": [{**_substitution(one), "why": why} for one, why in measured.refused],
        "code": code_as_json(code),
    }


def _tally(tally: Tally) -> JsonObject:
    return {
        "uses": tally.uses,
        "calls_saved": tally.saved,
        "calls_replaced": tally.replaced,
        "code_steps_saved": tally.code_steps,
        "extra_reads": tally.extra,
        "characters_saved": tally.characters,
        "tokens_saved": _tokens(tally),
    }


def _tokens(tally: Tally) -> int:
    return round(tokens_in(tally.characters))


def _substitution(one: Substitution) -> JsonObject:
    replaced: list[Json] = [
        {"tool": "code" if is_code(call.tool) else call.tool, "place": str(call.place)}
        for call in one.replaced_calls
    ]
    extra: list[Json] = [{"tool": tool, "arguments": given} for tool, given in one.extra]
    return {
        "trace": one.timeline.trace_id,
        "tool": one.tool.ref,
        "arguments": one.arguments,
        "replaced": replaced,
        "extra": extra,
    }


def _show(measured: Measured, code: MeasuredCode, others: int) -> None:
    table = new_table("tool", "uses", "calls replaced", "extra reads", "calls saved", "characters")
    ranked = sorted(measured.tallies.items(), key=lambda one: (-one[1].saved, one[0]))
    for ref, tally in ranked:
        numbers = (tally.uses, tally.replaced, tally.extra, tally.saved, tally.characters)
        table.add_row(plain(ref), *map(str, numbers))
    if ranked:
        out.print(table)
    total = measured.total
    out.print(
        f"{total.saved} of {measured.calls} calls in {measured.traces} runs saved"
        f" ({measured.share:.1%}), with {total.extra} extra reads; about"
        f" {_tokens(total)} tokens that agents need not have written."
    )
    if total.code_steps:
        out.print(f"{total.code_steps} pieces of code between calls saved with them.")
    if measured.refused:
        say(f"{len(measured.refused)} uses that the tools did not bear out are not counted.")
    if code.tallies:
        show_code(code)
    if others:
        say(f"{others} tools that are made neither of calls nor of code are not measured.")
