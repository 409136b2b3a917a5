"""What agents are told, how that came to be, and taking it back: parts of `toolguild improve`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import click

from toolguild.agent.improvement.artefacts import Example, Instructions, Lesson
from toolguild.cli.approvals import why_option
from toolguild.cli.console import counted, out, plain, print_json, say
from toolguild.cli.console import table as new_table
from toolguild.cli.errors import ExitCode
from toolguild.cli.registries import open_existing
from toolguild.cli.run_view import in_short
from toolguild.cli.settings import as_json, registry_option
from toolguild.registry import Registry, TamperedError, audit
from toolguild.registry.improvement import Artefact, ArtefactKind, Change, Standing
from toolguild.registry.improvement.history import effective, with_effect
from toolguild.sandbox import Json, JsonObject

__all__ = ["COMMANDS"]


@click.command()
@click.argument("agent")
@registry_option
@as_json
def show(agent: str, registry: str, as_json: bool) -> int:
    """Show what AGENT is told: its instructions, lessons and examples."""
    with open_existing(registry) as opened:
        standing = opened.improvements.standing(agent)
    if as_json:
        print_json(_standing_json(agent, standing))
        return ExitCode.DONE
    if not standing.artefacts:
        say(f"{agent} is told nothing yet; `toolguild improve seed {agent}` gives it a beginning.")
        return ExitCode.DONE
    table = new_table("what", "text", "digest")
    for artefact in standing.artefacts.values():
        whole = plain(_text(artefact), keep_lines=True)
        table.add_row(artefact.kind.value, whole, _short(artefact.digest))
    out.print(table)
    for alert in standing.open_alerts:
        say(f"Change {alert} waits for a person: `toolguild improve decide {alert}`.", "yellow")
    return ExitCode.DONE


@click.command()
@click.argument("agent", required=False)
@registry_option
@as_json
def log(agent: str | None, registry: str, as_json: bool) -> int:
    """List the changes of AGENT, or of all, the oldest first."""
    with open_existing(registry) as opened:
        changes = opened.improvements.changes(agent)
        refs = _refs(opened, changes)
    held = {one.number for one in _holding(changes)}
    if as_json:
        rows: list[Json] = [_change_json(one, refs, one.number in held) for one in changes]
        print_json({"changes": rows})
    elif not changes:
        say("Nothing was changed yet.")
    else:
        _print_changes(changes, refs, held)
    return ExitCode.DONE


@click.command()
@click.argument("number", type=int)
@click.option("--dry-run", is_flag=True, help="Show what would be undone, and undo nothing.")
@why_option
@registry_option
def undo(number: int, dry_run: bool, why: str, registry: str) -> int:
    """Take change NUMBER back, with everything that it caused. An undoing is undone likewise."""
    with open_existing(registry) as opened:
        caused = opened.improvements.consequences(number)
        refs = _refs(opened, caused)
        if not dry_run:
            made = opened.improvements.undo(number, why=why)
    if caused:
        _print_changes(caused, refs, {one.number for one in caused})
    if dry_run:
        say(f"{counted(len(caused), 'change')} would be undone.")
    else:
        say(f"Undone by change {made.number}; `toolguild improve undo {made.number}` redoes it.")
    return ExitCode.DONE


@click.command()
@click.argument("number", type=int)
@click.argument("answer", type=click.Choice(["accept", "decline"]))
@why_option
@registry_option
def decide(number: int, answer: str, why: str, registry: str) -> int:
    """Decide on alert NUMBER, which holds a change of an agent's instructions back."""
    with open_existing(registry) as opened:
        made = opened.improvements.decide(number, accept=answer == "accept", why=why)
    done = "is made" if made.accepted else "is declined"
    say(f"The change that alert {number} held back {done}.")
    return ExitCode.DONE


COMMANDS: Sequence[click.Command] = (show, log, undo, decide)


def _print_changes(changes: Sequence[Change], refs: dict[str, str], held: set[int]) -> None:
    table = new_table("change", "at", "agent", "kind", "holds", "rests on", "what", "why")
    for one in changes:
        table.add_row(
            str(one.number),
            f"{one.at:%Y-%m-%d %H:%M}",
            plain(one.new.agent),
            one.new.kind.value,
            _holds(one, held),
            " ".join(map(str, one.causes)),
            plain("; ".join(_parts(one, refs))),
            plain(one.new.why),
        )
    out.print(table)


def _holds(change: Change, held: set[int]) -> str:
    if not with_effect([change]):
        return ""
    return "yes" if change.number in held else "no"


def _parts(change: Change, refs: dict[str, str]) -> Iterator[str]:
    """Yield what a change is made of, in words."""
    new = change.new
    yield from (f"+ {one.kind.value}: {in_short(_text(one))}" for one in new.adds)
    yield from (f"- {_short(digest)}" for digest in new.removes)
    yield from (f"+ {refs.get(digest, _short(digest))}" for digest in new.brings)
    yield from (f"- {refs.get(digest, _short(digest))}" for digest in new.retires)
    if change.undoes:
        yield f"undoes {', '.join(map(str, change.undoes))}"
    if change.decides is not None:
        yield f"{'accepts' if change.accepted else 'declines'} {change.decides}"


def _text(artefact: Artefact) -> str:
    """Return what an artefact says; what was refused may say nothing."""
    try:
        return _words(artefact)
    except TamperedError:
        return "what cannot be read"


def _words(artefact: Artefact) -> str:
    match artefact.kind:
        case ArtefactKind.INSTRUCTIONS:
            return Instructions.of(artefact).text
        case ArtefactKind.LESSON:
            return Lesson.of(artefact).lesson
        case ArtefactKind.EXAMPLE:
            example = Example.of(artefact)
            return f"{example.task} ({len(example.steps)} steps)"


def _holding(changes: Sequence[Change]) -> list[Change]:
    return with_effect(effective(changes))


def _refs(registry: Registry, changes: Sequence[Change]) -> dict[str, str]:
    """Return `name@number` of the versions that changes are about, by their digests."""
    about = {digest for one in changes for digest in (*one.new.brings, *one.new.retires)}
    return audit.refs(registry, about)


def _short(digest: str) -> str:
    return digest[: len("sha256:") + 12]


def _standing_json(agent: str, standing: Standing) -> JsonObject:
    told: list[Json] = [
        {"kind": one.kind.value, "digest": digest, **one.content}
        for digest, one in standing.artefacts.items()
    ]
    return {"agent": agent, "told": told, "open_alerts": [*standing.open_alerts]}


def _change_json(change: Change, refs: dict[str, str], holds: bool) -> JsonObject:
    new = change.new
    return {
        "change": change.number,
        "at": change.at.isoformat(),
        "agent": new.agent,
        "kind": new.kind.value,
        "holds": holds,
        "why": new.why,
        "adds": [{"kind": one.kind.value, "digest": one.digest, **one.content} for one in new.adds],
        "removes": [*new.removes],
        "brings": [refs.get(digest, digest) for digest in new.brings],
        "retires": [refs.get(digest, digest) for digest in new.retires],
        "runs": [*new.runs],
        "cycle": new.cycle,
        "evidence": new.evidence,
        "rests on": [*change.causes],
        "undoes": [*change.undoes],
    }
