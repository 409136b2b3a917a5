"""`toolguild synthesize` and `toolguild mine`: from trace logs to tools, or to opportunities."""

from __future__ import annotations

import os
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path

import click

from toolguild.cli.access import access_of, file_options
from toolguild.cli.choices import choice_as_json, told_of_choices, verified
from toolguild.cli.console import out, plain, print_json, progress, say, table_of_patterns
from toolguild.cli.console import table as new_table
from toolguild.cli.errors import ExitCode
from toolguild.cli.explanation import explain, explanation
from toolguild.cli.flow_graph import dot, mermaid
from toolguild.cli.gaps import gap_as_json, show_gaps
from toolguild.cli.lifecycle import tell_waiting
from toolguild.cli.logs import log_options, read_options, tell_problems
from toolguild.cli.models import ModelChoice, model_options
from toolguild.cli.profile import profile_option
from toolguild.cli.sandboxes import SandboxChoice, sandbox_options
from toolguild.cli.settings import registry_option
from toolguild.cli.worth import RUNS, expected, net, prompt_options, utility_as_json
from toolguild.policies import Profile
from toolguild.registry import Registry
from toolguild.registry.location import shown
from toolguild.sandbox import Access, Json, JsonObject, Mount
from toolguild.synth import Fate, Mined, Synthesized
from toolguild.synth import mine as mine_logs
from toolguild.synth import synthesize as synthesize_tools
from toolguild.synth.budget import Choice, choose_tools
from toolguild.synth.drafting import Draft
from toolguild.synth.mining import (
    Merge,
    MiningSettings,
    Opportunity,
    RepeatedCode,
    RepeatedEpisode,
    RepeatedSequence,
    extent_of,
    support_of,
)
from toolguild.synth.plans import (
    Computed,
    FromResult,
    LoopStep,
    Parameter,
    PlanStep,
    calls_of,
    render_path,
    spoken,
    spoken_call,
)
from toolguild.synth.provenance import written_by
from toolguild.synth.spellings import group_spellings
from toolguild.synth.traces import ReadOptions
from toolguild.synth.utility import PromptSettings
from toolguild.synth.validation import ValidationSettings

__all__ = ["mine", "synthesize"]

_WIDTH_FOR_PLACES = 120
"""Columns of a terminal from which on tables also say where patterns stand, or of what kind."""
_DRAWINGS = {"mermaid": mermaid, "dot": dot}

_min_support = click.option(
    "--min-support",
    type=click.IntRange(min=1),
    help="Distinct tasks that must show a pattern [default: 3, for a whole function 2].",
)
_known = click.option(
    "--known",
    type=click.Path(dir_okay=False, path_type=Path),
    help="File that keeps what was read: logs that it holds are not read again, and count.",
)


@click.command()
@log_options
@_min_support
@_known
@click.option(
    "--tools",
    type=click.IntRange(min=1),
    help="Register only so many tools: those that save most together [default: all that pass].",
)
@prompt_options
@registry_option
@sandbox_options
@profile_option
@file_options(kept=False)
@model_options
def synthesize(
    paths: tuple[Path, ...],
    registry: str,
    sandbox: SandboxChoice,
    profile: Profile,
    mount: tuple[Mount, ...],
    workspace: Path | None,
    min_support: int | None,
    known: Path | None,
    tools: int | None,
    prompts: PromptSettings,
    model: ModelChoice,
    as_json: bool,
    **log: str | None,
) -> int:
    """Make tools of what recurs in trace logs: mine, draft, prove, register.

    PATHS are log files, or folders of them. With --tools, those that pass are put into the recorded
    runs, in the sandbox; by what they save there, in tokens, so many are chosen, one after the
    other and each beside those before it.

    A model mends drafts that fail, describes those that pass, makes one tool of several that are
    the same in spirit, and writes tools for what agents do by hand in ways that no plan explains.
    What it writes has to pass as any draft has, and may do no more than what it takes the place of.
    With --tools, it makes no one tool of several.
    """
    access = access_of(mount, workspace)
    with _registry(registry, model, profile) as opened:
        settings = ValidationSettings(profile=profile)
        merge = _by_behaviour(sandbox, profile)
        has_author = model.settings is not None
        mined = _mine(paths, read_options(log), min_support, known, merge, prompts, has_author)
        results = _synthesize(mined, opened, sandbox, settings, access, tools, prompts, model)
    if model.dry_run:
        return ExitCode.DONE
    if as_json:
        print_json({**_summary(mined, results), "model": model.to_json()})
    else:
        _show_results(mined, results, shown(registry))
    return ExitCode.DONE if any(result.ref for result in results) else ExitCode.REFUSED


@contextmanager
def _registry(where: str, model: ModelChoice, profile: Profile) -> Iterator[Registry]:
    """Open the registry, for a dry run one that is thrown away."""
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder, "registry.db")) if model.dry_run else where
        with Registry.open(path, profile=profile) as opened:
            yield opened


@click.command()
@log_options
@_min_support
@_known
@prompt_options
@click.option("--explain", "explains", is_flag=True, help="Say why, and where, for each pattern.")
@click.option(
    "--behaviour",
    is_flag=True,
    help="Run functions in the sandbox, to find those that do the same in other words.",
)
@sandbox_options
@profile_option
@click.option("--mermaid", "drawing", flag_value="mermaid", help="Draw data flows for Mermaid.")
@click.option("--dot", "drawing", flag_value="dot", help="Draw data flows for Graphviz.")
def mine(
    paths: tuple[Path, ...],
    min_support: int | None,
    known: Path | None,
    prompts: PromptSettings,
    explains: bool,
    drawing: str | None,
    behaviour: bool,
    sandbox: SandboxChoice,
    profile: Profile,
    as_json: bool,
    **log: str | None,
) -> int:
    """Show what recurs in trace logs, what a tool for it would save, and what agents lacked.

    PATHS are log files, or folders of them. Nothing is stored but by --known, and nothing is run
    but by --behaviour.
    """
    merge = _by_behaviour(sandbox, profile) if behaviour else list
    mined = _mine(paths, read_options(log), min_support, known, merge, prompts)
    if as_json:
        described: list[Json] = [_opportunity(one) for one in mined.opportunities]
        gaps: list[Json] = [gap_as_json(gap) for gap in mined.gaps]
        print_json({**_logs(mined), "opportunities": described, "gaps": gaps})
    elif drawing:
        sequences = [one for one in mined.opportunities if isinstance(one, RepeatedSequence)]
        out.file.write(_DRAWINGS[drawing]([one.plan for one in sequences]))
    elif explains:
        for opportunity in mined.opportunities:
            explain(opportunity, f"{_pattern(opportunity)}: saves {_saved(opportunity)}")
    else:
        _show_opportunities(mined)
        show_gaps(mined.gaps)
    return ExitCode.DONE if mined.opportunities else ExitCode.REFUSED


def _by_behaviour(sandbox: SandboxChoice, profile: Profile) -> Merge:
    """Return what puts functions together that do the same; only that needs the sandbox."""

    def merge(definitions: Sequence[RepeatedCode]) -> list[RepeatedCode]:
        if len(definitions) < 2:
            return [*definitions]
        with sandbox.open(profile) as opened:
            return group_spellings(definitions, opened)

    return merge


def _mine(
    paths: Sequence[Path],
    read: ReadOptions,
    min_support: int | None,
    known: Path | None,
    merge: Merge,
    prompts: PromptSettings,
    episodes: bool = False,
) -> Mined:
    settings = MiningSettings()
    if min_support is not None:
        settings = replace(
            settings,
            sequence_support=min_support,
            definition_support=min_support,
            statements_support=min_support,
        )
    # Not by fork: threads draw the bar.
    processes = ProcessPoolExecutor(mp_context=get_context("forkserver"))
    with processes as executor, progress() as bar:
        tasks = {
            "reading": bar.add_task("Reading traces", total=None),
            "calls": bar.add_task("Comparing calls", total=1),
            "code": bar.add_task("Comparing code", total=1),
        }
        mined = mine_logs(
            paths,
            read=read,
            settings=settings,
            executor=executor,
            known=known,
            on_progress=lambda stage, done: bar.update(tasks[stage], completed=done),
            merge=merge,
            prompts=prompts,
            episodes=episodes,
        )
    tell_problems(mined.problems)
    return mined


def _synthesize(
    mined: Mined,
    registry: Registry,
    sandbox: SandboxChoice,
    settings: ValidationSettings,
    access: Access,
    budget: int | None,
    prompts: PromptSettings,
    model: ModelChoice,
) -> list[Synthesized]:
    opportunities = mined.everything
    if not opportunities:
        return []
    workers = min((os.cpu_count() or 1) + model.at_once, len(opportunities))
    # The sandbox is inside: when the block is left early, closing it ends what still runs in the
    # threads, and only then are the threads waited for.
    with (
        ThreadPoolExecutor(workers) as executor,
        sandbox.open(settings.profile) as opened,
        progress() as bar,
        model.open(settings.profile) as author,
    ):
        proving = bar.add_task("Proving tools", total=len(opportunities))

        def choose(drafts: Sequence[Draft]) -> list[Choice]:
            assert budget is not None  # noqa: S101 - else it is not called
            measuring = bar.add_task("Measuring tools", total=1)
            return choose_tools(
                drafts,
                budget,
                mined.runs,
                mined.prompts(prompts),
                opened,
                executor,
                lambda done: bar.update(measuring, completed=done),
            )

        return list(
            synthesize_tools(
                opportunities,
                registry,
                opened,
                executor,
                settings,
                access,
                choose if budget else None,
                author,
                model.tell,
                lambda done: bar.update(proving, completed=done),
            )
        )


def _logs(mined: Mined) -> JsonObject:
    return {
        "traces": mined.traces,
        "tasks": mined.tasks,
        "tool_calls": mined.tool_calls,
        "code_executions": mined.code_executions,
        "traces_mined": mined.traces if mined.sampled is None else mined.sampled,
        "skipped": [{"place": str(one.place), "message": one.message} for one in mined.problems],
    }


def _opportunity(opportunity: Opportunity) -> JsonObject:
    extent = extent_of(opportunity)
    return {
        "kind": _kind(opportunity),
        "pattern": _pattern(opportunity),
        "support": support_of(opportunity.everywhere),
        "occurrences": [str(one.place) for one in opportunity.everywhere],
        "saving": {"calls": extent.saving.calls, "characters": extent.saving.characters},
        "in_all_logs": {"support": extent.tasks, "occurrences": extent.places},
        "expected_per_run": utility_as_json(opportunity.utility),
        **_held_out(opportunity),
        **explanation(opportunity),
    }


def _held_out(opportunity: Opportunity) -> JsonObject:
    if not isinstance(opportunity, RepeatedSequence):
        return {}
    places: list[Json] = [str(one.place) for one in opportunity.held_out]
    return {"held_out": places, "overfitted": opportunity.overfitted_why or None}


def _summary(mined: Mined, results: Sequence[Synthesized]) -> JsonObject:
    return {
        **_logs(mined),
        "changed": any(result.changed for result in results),
        "tools": [_result(result) for result in results],
    }


def _result(result: Synthesized) -> JsonObject:
    reasons: list[Json] = [*result.reasons]
    return {
        "name": result.name,
        "fate": str(result.fate),
        "ref": result.ref or None,
        "reasons": reasons,
        "verified": choice_as_json(result.choice) if result.choice else None,
        "written": written_by(result.proof.draft) if result.proof.draft else None,
        "evidence": result.proof.report.evidence() if result.proof.report else None,
        "opportunity": _opportunity(result.proof.opportunity),
    }


def _kind(opportunity: Opportunity) -> str:
    return "sequence" if isinstance(opportunity, RepeatedSequence) else opportunity.kind


def _pattern(opportunity: Opportunity) -> str:
    if isinstance(opportunity, RepeatedCode):
        return f"{opportunity.name}({', '.join(opportunity.parameters)})"
    if isinstance(opportunity, RepeatedEpisode):
        return opportunity.about
    return " -> ".join(map(_spoken, opportunity.plan))


def _spoken(step: PlanStep) -> str:
    match step:
        case LoopStep(over=Parameter(name)):
            return f"{spoken_call(step)} for each of {name}"
        case LoopStep(over=Computed() as over):
            return f"{spoken_call(step)} for each of {spoken(over)}"
        case LoopStep(over=FromResult(path=path)):
            return f"{spoken_call(step)} for each of {render_path(path) or 'its items'}"
    return " or else ".join(map(spoken_call, calls_of(step)))


def _saved(opportunity: Opportunity) -> str:
    if isinstance(opportunity, RepeatedSequence) and opportunity.is_overfitted:
        return "overfitted"
    saving = extent_of(opportunity).saving
    saved = f"{saving.calls:,} calls" if saving.calls else f"{saving.characters:,} chars"
    return _about(opportunity) + saved


def _about(opportunity: Opportunity) -> str:
    """Return the word that tells an estimate from a count."""
    return "about " if opportunity.estimate else ""


def _tasks_and_places(opportunity: Opportunity) -> tuple[str, str]:
    extent, about = extent_of(opportunity), _about(opportunity)
    return f"{about}{extent.tasks:,}", f"{about}{extent.places:,}"


def _found(mined: Mined) -> str:
    sample = (
        f"; a sample of {mined.sampled:,} traces was mined" if mined.sampled is not None else ""
    )
    return (
        f"{mined.traces:,} traces of {mined.tasks:,} tasks: "
        f"{mined.tool_calls:,} tool calls, {mined.code_executions:,} code executions{sample}"
    )


def _show_opportunities(mined: Mined) -> None:
    out.print(_found(mined))
    if not mined.opportunities:
        say("Nothing recurs that is worth a tool; --min-support lowers the bar.")
        return
    columns = ["pattern", "kind", "tasks", "places", "saves", "expected", "net tokens"]
    shows_places = out.width >= _WIDTH_FOR_PLACES
    table = table_of_patterns(*columns, *(["first seen"] if shows_places else []))
    for opportunity in mined.opportunities:
        first = opportunity.everywhere[0].place
        seen = f"{Path(first.file).name}:{first.line}#{first.step}"
        table.add_row(
            plain(_pattern(opportunity)),
            _kind(opportunity),
            *_tasks_and_places(opportunity),
            _saved(opportunity),
            expected(opportunity),
            net(opportunity),
            *([plain(seen)] if shows_places else []),
        )
    out.print(table)
    say(_explained(mined.opportunities))


def _explained(opportunities: Sequence[Opportunity]) -> str:
    """Return what the columns of estimates mean."""
    told = (
        f"Expected: in {RUNS} runs on unseen tasks. Net tokens: what is then neither written nor "
        "read again, less what the tool's definition takes in prompts."
    )
    if all(one.utility is None or one.utility.is_worth_its_prompt for one in opportunities):
        return told
    return (
        f"{told} Tools below 0 are ranked behind. Logs hold only a part of prompts; "
        "--prompt-tokens says how much is missing."
    )


def _show_results(mined: Mined, results: Sequence[Synthesized], registry: str) -> None:
    out.print(_found(mined))
    if not results:
        say("Nothing recurs that is worth a tool; --min-support lowers the bar.")
        return
    is_chosen = any(result.choice for result in results)
    # What was verified takes the place of what it was made from where there is little.
    shows_kind = not is_chosen or out.width >= _WIDTH_FOR_PLACES
    kind, worth = ["from"] if shows_kind else [], ["verified"] if is_chosen else []
    table = new_table("tool", *kind, "tasks", "saves", *worth, "outcome")
    for result in results:
        opportunity = result.proof.opportunity
        table.add_row(
            plain(result.ref or result.name or _pattern(opportunity)),
            *([_kind(opportunity)] if shows_kind else []),
            _tasks_and_places(opportunity)[0],
            _saved(opportunity),
            *([verified(result.choice)] if is_chosen else []),
            plain(f"{result.fate}: {result.reasons[0]}" if result.reasons else result.fate),
        )
    out.print(table)
    counts = Counter(result.fate for result in results)
    if is_chosen:
        say(told_of_choices([result.choice for result in results if result.choice]))
    said = ", ".join(f"{count} {fate}" for fate, count in sorted(counts.items()))
    if any(result.changed for result in results):
        say(f"{said}. Registry: {registry}")
    else:
        say(f"{said}. Nothing new: the registry is as it was ({registry}).")
    tell_waiting(counts[Fate.PROPOSED])
