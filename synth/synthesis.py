"""The main job: from trace logs to registered tools."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Literal, TypeAlias

from toolguild.registry import (
    AlreadyRegisteredError,
    Intake,
    InvalidSpecError,
    Registry,
    State,
    ToolSpec,
    ToolVersion,
)
from toolguild.registry.specs import check_spec
from toolguild.sandbox import Access, JsonObject, Sandbox
from toolguild.sandbox.access import NOTHING
from toolguild.synth.authoring import Author
from toolguild.synth.budget import Choice
from toolguild.synth.drafting import Draft, tool_names
from toolguild.synth.gathering import Gathered, gather
from toolguild.synth.known import KnownLogs
from toolguild.synth.mining import (
    CapabilityGap,
    CodeMiner,
    EpisodeMiner,
    GapMiner,
    Merge,
    MiningSettings,
    Opportunity,
    Pattern,
    RepeatedEpisode,
    RepeatedSequence,
    Sampled,
    SequenceMiner,
    nothing_collected,
)
from toolguild.synth.provenance import provenance_of
from toolguild.synth.proving import Proof, in_better_words, prove
from toolguild.synth.standing import kept_version, registered, same_but_for_words, takes_words
from toolguild.synth.tool_spec import spec_of
from toolguild.synth.traces import Problem, ReadOptions, ToolDefinition
from toolguild.synth.uniting import united
from toolguild.synth.utility import Prompts, PromptSettings, with_utility, worthwhile_first
from toolguild.synth.validation import ValidationReport, ValidationSettings, dossier, validate

__all__ = ["Choose", "Fate", "Mined", "Origin", "Synthesized", "mine", "synthesize"]

Choose: TypeAlias = Callable[[Sequence[Draft]], Sequence[Choice]]
"""What says of each of some tools whether it gets a place in a toolbox."""

Origin: TypeAlias = Callable[[Draft], JsonObject]
"""Says where a draft comes from."""

Stage: TypeAlias = Literal["reading", "calls", "code"]
OnProgress: TypeAlias = Callable[[Stage, float], None]


@dataclass(slots=True)
class Mined:
    """What a set of logs holds."""

    traces: int = 0
    tasks: int = 0
    tool_calls: int = 0
    code_executions: int = 0
    sampled: int | None = None
    """How many of the traces were mined, where there are too many to mine all of them."""
    problems: list[Problem] = field(default_factory=list)
    opportunities: list[Pattern] = field(default_factory=list)
    gaps: list[CapabilityGap] = field(default_factory=list)
    """What agents needed and did not have; no tools are made of these."""
    episodes: list[RepeatedEpisode] = field(default_factory=list)
    """What recurs and takes somebody to write a tool for it, where that was looked for."""
    runs: list[Sampled] = field(default_factory=list)
    """The runs that were mined."""

    @property
    def everything(self) -> list[Opportunity]:
        """All that a tool may be made for, with an author or without."""
        return [*self.opportunities, *self.episodes]

    def prompts(self, settings: PromptSettings) -> Prompts:
        """Return what agents' models read in these logs, as far as they tell."""
        return Prompts(self.runs, settings, total=self.traces)


def mine(
    paths: Iterable[Path],
    *,
    read: ReadOptions = ReadOptions(),
    settings: MiningSettings = MiningSettings(),
    executor: Executor | None = None,
    known: Path | None = None,
    on_progress: OnProgress = lambda stage, done: None,
    merge: Merge = list,
    prompts: PromptSettings = PromptSettings(),
    episodes: bool = False,
) -> Mined:
    """Read logs and find what recurs in them, best first.

    What is expected to cost more tokens than it saves comes last.

    Neither the order of the logs nor, with `known`, the portions in which they come change what is
    found. Memory does not grow with the logs, but for the hashes of their tasks.

    Args:
        paths: Log files, or folders of them.
        read: How to read them.
        settings: Thresholds, and how many runs of large logs are mined.
        executor: What reads several large files at once.
        known: File of logs that are known, made if there is none. Logs that it holds are not read
            again; the others are added, and all of them are mined.
        on_progress: Called with what is being done: `reading` with the number of traces so far,
            then `calls` and `code` with the share that is done.
        merge: Puts functions together that do the same (`group_spellings`); without it nothing is
            run, and only those are together that agree in their text.
        prompts: What the logs do not say of the requests to the agents' models.
        episodes: Whether to look for what only somebody who writes tools can make a tool of.

    Raises:
        TraceFileError: a log cannot be read at all.
        KnownLogsError: the file of known logs cannot be used.
    """
    store = KnownLogs(known, settings, read) if known else None
    gathered = gather(
        paths,
        read=read,
        settings=settings,
        executor=executor,
        known=store.logs() if store else (),
        on_progress=lambda traces: on_progress("reading", traces),
    )
    gathered = store.add(gathered) if store else gathered
    mined = _mined(gathered, settings, on_progress, merge)
    known_prompts = mined.prompts(prompts)
    mined.opportunities = worthwhile_first(
        with_utility(one, known_prompts) for one in mined.opportunities
    )
    if episodes:
        mined.episodes = _episodes(mined, gathered.sample.tools, settings)
    return mined


def _episodes(
    mined: Mined, tools: Iterable[ToolDefinition], settings: MiningSettings
) -> list[RepeatedEpisode]:
    miner = EpisodeMiner(settings)
    for tool in tools:
        miner.describe(tool)
    with nothing_collected():
        for run in mined.runs:
            miner.add(run.trace)
        return miner.mine(mined.opportunities)


def _mined(
    gathered: Gathered, settings: MiningSettings, on_progress: OnProgress, merge: Merge
) -> Mined:
    sequences, code, gaps = SequenceMiner(settings), CodeMiner(settings), GapMiner(settings)
    for tool in gathered.sample.tools:
        sequences.describe(tool)
    with nothing_collected():
        runs = [*gathered.sample]
        for run in runs:
            sequences.add(run.trace, run.weight)
            code.add(run.trace, run.weight)
            gaps.add(run.trace, every_run=run.every_run)
        found = sequences.mine(lambda done: on_progress("calls", done))
    logs = gathered.logs.values()
    return Mined(
        traces=sum(log.traces for log in logs),
        tasks=len(gathered.sample.tasks),
        tool_calls=sum(log.tool_calls for log in logs),
        code_executions=sum(log.code_executions for log in logs),
        sampled=len(runs) if any(run.weight.runs > 1 for run in runs) else None,
        problems=gathered.problems,
        opportunities=[
            *found,
            *code.mine(lambda done: on_progress("code", done), merge),
        ],
        gaps=gaps.mine(),
        runs=runs,
    )


class Fate(StrEnum):
    """What became of an opportunity."""

    REGISTERED = "registered"
    UNCHANGED = "unchanged"
    """The very same tool was registered before, or one whose words may stay."""
    PROVEN = "proven here"
    """The very same tool was registered before, and nothing that was proven here spoke for it."""
    PROPOSED = "proposed"
    """It passed, and waits: the budget of new tools has no room for it."""
    REJECTED = "rejected"
    NOT_DRAFTED = "not drafted"
    LEFT_OUT = "left out"
    """It passed, and another tool does its work as well, or others save more of what a budget has
    place for."""


@dataclass(frozen=True, slots=True)
class Synthesized:
    """The fate of one opportunity."""

    proof: Proof
    fate: Fate
    changed: bool
    """Whether anything was written to the registry."""
    ref: str = ""
    """`name@version` of the registered tool."""
    refusal: str = ""
    """Why a tool that passed is not registered, if it is not for a choice."""
    choice: Choice | None = None
    """What the tool saves beside others, where there is only place for so many."""

    @property
    def name(self) -> str:
        """The tool's name, as far as there is one."""
        if self.proof.draft is not None:
            return self.proof.draft.name
        opportunity = self.proof.opportunity
        return "" if isinstance(opportunity, RepeatedSequence) else opportunity.name

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why there is no tool; empty where there is one."""
        if self.refusal:
            return (self.refusal,)
        if self.choice is not None and self.choice.why_not:
            return (self.choice.why_not,)
        if self.proof.report is None:
            return (self.proof.reason,)
        return self.proof.report.reasons


def synthesize(
    opportunities: Sequence[Opportunity],
    registry: Registry,
    sandbox: Sandbox,
    executor: Executor,
    settings: ValidationSettings = ValidationSettings(),
    access: Access = NOTHING,
    choose: Choose | None = None,
    author: Author | None = None,
    on_trouble: Callable[[str], None] = lambda why: None,
    on_proven: Callable[[int], None] = lambda tools: None,
    origin: Origin = provenance_of,
) -> Iterator[Synthesized]:
    """Prove a tool for each opportunity and register what passes, in the order given.

    Each tool is registered as soon as its turn comes, in one transaction: an interrupted run
    leaves whole tools, and the next run goes on from there. What the registry's budget of new tools
    has no room for is proposed, and waits. Where tools are chosen, nothing is registered before the
    choice; then those come first that were chosen, the best first. With an author, nothing is
    registered before it was asked which tools may be one; where tools are chosen it is not asked,
    for what such a tool saves cannot be measured.

    Args:
        opportunities: What tools are to be made for.
        registry: Where they go.
        sandbox: Where drafts run.
        executor: What proves several at once.
        settings: How hard to try to refute a draft.
        access: What of your files drafts see that need it; they change nothing in them.
        choose: Says of each of the tools that can be registered whether it gets a place; all of
            them do unless given.
        author: Mends drafts that fail, describes those that pass, makes one tool of several, and
            writes those that cannot be drafted; nobody unless given.
        on_trouble: Called, from any thread, where that gives nothing that can be used.
        on_proven: Called with the number of opportunities that were dealt with.
        origin: Says what is kept as the provenance of a tool.

    Raises:
        SandboxUnavailableError: drafts cannot be run.
        RegistryError: the registry cannot be written.
    """

    def prove_one(opportunity: Opportunity, name: str) -> Proof:
        return prove(opportunity, sandbox, settings, name, access, author, on_trouble)

    def judge(draft: Draft) -> ValidationReport:
        return validate(draft, sandbox, settings, access)

    def may_be_described(proof: Proof) -> bool:
        draft = proof.draft
        return draft is not None and takes_words(spec_of(draft, settings.profile), registry)

    def can_be_registered(draft: Draft) -> bool:
        return _can_be_registered(draft, settings)

    intake = registry.governance.intake()
    proofs = _proofs(opportunities, executor, prove_one)
    counted: Iterable[Proof] = _counted(proofs, on_proven)
    if author is not None:
        proven = [*counted]
        if choose is None:
            proven = united(proven, author, judge, can_be_registered, executor, on_trouble)
        words = partial(
            in_better_words,
            sandbox=sandbox,
            settings=settings,
            access=access,
            author=author,
            on_trouble=on_trouble,
        )
        counted = executor.map(
            lambda proof: words(proof) if may_be_described(proof) else proof, proven
        )
    if choose is None:
        for proof in counted:
            yield _register(proof, registry, intake, settings, origin)
        return
    for proof, choice in _chosen(list(counted), choose, settings):
        if choice is not None and choice.why_not:
            yield _leave_out(proof, choice, registry, settings)
        else:
            made = _register(proof, registry, intake, settings, origin)
            yield replace(made, choice=choice)


def _proofs(
    opportunities: Sequence[Opportunity],
    executor: Executor,
    prove_one: Callable[[Opportunity, str], Proof],
) -> Iterator[Proof]:
    futures = [
        executor.submit(prove_one, opportunity, name)
        for opportunity, name in zip(opportunities, tool_names(opportunities), strict=True)
    ]
    try:
        for future in futures:
            yield future.result()
    finally:
        for future in futures:
            future.cancel()


def _counted(proofs: Iterable[Proof], on_proven: Callable[[int], None]) -> Iterator[Proof]:
    for number, proof in enumerate(proofs, 1):
        on_proven(number)
        yield proof


def _chosen(
    proofs: Sequence[Proof], choose: Choose, settings: ValidationSettings
) -> list[tuple[Proof, Choice | None]]:
    """Return the proofs with what was chosen, the best of these first."""
    drafts = {
        number: proof.draft
        for number, proof in enumerate(proofs)
        if proof.passed and proof.draft and _can_be_registered(proof.draft, settings)
    }
    choices = dict(zip(drafts, choose([*drafts.values()]), strict=True))
    judged = [(proof, choices.get(number)) for number, proof in enumerate(proofs)]
    return sorted(judged, key=lambda one: (one[1] and one[1].place) or len(judged) + 1)


def _can_be_registered(draft: Draft, settings: ValidationSettings) -> bool:
    try:
        check_spec(spec_of(draft, settings.profile))
    except InvalidSpecError:
        return False
    return True


def _leave_out(
    proof: Proof, choice: Choice, registry: Registry, settings: ValidationSettings
) -> Synthesized:
    """Return what is told of a tool that gets no place."""
    assert proof.draft is not None  # noqa: S101 - only drafts are chosen from
    spec = spec_of(proof.draft, settings.profile)
    choice = replace(choice, why_not=_with_what_stays(choice.why_not, spec, registry))
    return Synthesized(proof, Fate.LEFT_OUT, changed=False, choice=choice)


def _with_what_stays(why_not: str, spec: ToolSpec, registry: Registry) -> str:
    """Return why a tool is left out; what was registered before stays."""
    same = same_but_for_words(spec, registry)
    return f"{why_not}; {same[-1].ref} of an earlier run stays registered" if same else why_not


def _register(
    proof: Proof,
    registry: Registry,
    intake: Intake,
    settings: ValidationSettings,
    origin: Origin,
) -> Synthesized:
    if proof.draft is None or proof.report is None:
        return Synthesized(proof, Fate.NOT_DRAFTED, changed=False)
    spec = spec_of(proof.draft, settings.profile)
    if proof.served_by:
        why_not = _with_what_stays(f"{proof.served_by} does its work as well", spec, registry)
        return Synthesized(proof, Fate.LEFT_OUT, changed=False, refusal=why_not)
    evidence = proof.report.evidence()
    report = dossier(proof.draft, proof.report, settings)
    if not proof.passed:
        try:
            rejection = registry.reject(spec, proof.report.reasons, evidence, report)
        except AlreadyRegisteredError:
            # It passed before, on other recordings: what is registered is not undone here.
            return Synthesized(proof, Fate.REJECTED, changed=False)
        return Synthesized(proof, Fate.REJECTED, changed=rejection.created)
    known = registered(spec, registry)
    if known is not None and registry.wants_evidence(known.ref):
        registry.add_evidence(known.ref, evidence, report, why="passed validation")
        return Synthesized(proof, Fate.PROVEN, changed=True, ref=known.ref)
    if kept := kept_version(spec, proof.draft.authorship, registry):
        return _of_version(proof, kept, created=False)
    try:
        registration = registry.register(
            spec,
            provenance=origin(proof.draft),
            evidence=evidence,
            report=report,
            why="passed validation",
            intake=intake,
        )
    except InvalidSpecError as error:
        # It works, but its words are meant for the models that would be offered it.
        refusal = str(error)
        rejection = registry.reject(spec, (refusal,), evidence, report)
        return Synthesized(proof, Fate.REJECTED, changed=rejection.created, refusal=refusal)
    return _of_version(proof, registration.version, created=registration.created)


def _of_version(proof: Proof, version: ToolVersion, *, created: bool) -> Synthesized:
    fate = Fate.REGISTERED if created else Fate.UNCHANGED
    if version.state is State.PROPOSED:
        fate = Fate.PROPOSED
    return Synthesized(proof, fate, created, version.ref)
