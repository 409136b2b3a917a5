"""Trust by record: `toolguild tools promote`, `demote`, `review`, `rollback`, `why`, `history`."""

from __future__ import annotations

from collections.abc import Sequence

import click

from toolguild.cli.console import out, plain, print_json, say
from toolguild.cli.console import table as new_table
from toolguild.cli.errors import ExitCode
from toolguild.cli.escalations import requests_of_step
from toolguild.cli.lifecycle import tell_waiting, told_of_waiting, waiting_as_json
from toolguild.cli.profile import profile_option
from toolguild.cli.registries import open_existing
from toolguild.cli.settings import as_json, registry_option
from toolguild.cli.standing import show_standing, standing_as_json
from toolguild.policies import Profile, Tier
from toolguild.registry import AuditRow, Promotion, State
from toolguild.sandbox import Json, JsonObject

__all__ = ["COMMANDS"]

_QUARANTINE = "quarantine"
_SHOWN = ("tier", "state")
"""Of what a row of the trail changed, what a table shows."""

why_option = click.option("--why", default="", metavar="TEXT", help="Kept in the audit trail.")


@click.command("promote")
@click.argument("ref")
@why_option
@click.option("--dry-run", is_flag=True, help="Only show the gates.")
@click.option(
    "--override", is_flag=True, help="Promote it past closed gates, on your own word; takes --why."
)
@registry_option
@profile_option
@as_json
def promote(
    ref: str,
    why: str,
    dry_run: bool,
    override: bool,
    registry: str,
    profile: Profile,
    as_json: bool,
) -> int:
    """Move REF a tier up, where its record has earned that.

    Every gate is shown with what it asks, what there is, and what is missing. Where only a
    person's approval is, it is asked for: `toolguild approvals` shows how to give it.
    """
    if override and not why:
        message = "--override takes --why: what is passed over is answered for by you"
        raise click.UsageError(message)
    with open_existing(registry, profile) as opened:
        step = opened.governance.promotion(ref)
        done = (step.is_earned or override) and not dry_run
        request = None
        if done:
            opened.governance.promote(step.version.ref, why=why, override=override)
        elif step.waits_for_approval and not dry_run:
            request = opened.governance.ask(step.version.ref, why=why).id
        told = [*requests_of_step(opened, step)] if not done else []
    if as_json:
        print_json({**_step(step), "promoted": done, "request": request})
    else:
        _show_gates(step)
        _say_outcome(step, done, request, dry_run=dry_run)
        for line in told:
            say(line)
    return ExitCode.DONE if done or (dry_run and step.is_earned) else ExitCode.REFUSED


def _say_outcome(step: Promotion, done: bool, request: int | None, *, dry_run: bool) -> None:
    if done:
        say(f"{step.version.ref} is at {step.target} now.", "green")
    elif request is not None:
        say(f"Asked for approval: request {request}. `toolguild approvals approve {request}`, by")
        say("somebody else, and then this command again.")
    elif dry_run and step.is_earned:
        say(f"{step.version.ref} has earned {step.target}.", "green")
    else:
        say(f"{step.version.ref} has not earned {step.target}:", "yellow")
        for missing in step.missing:
            say(f"  {missing}")


@click.command("demote")
@click.argument("ref")
@click.option(
    "--to",
    type=click.Choice([Tier.SANDBOX.value, Tier.RESTRICTED.value, _QUARANTINE]),
    default=Tier.SANDBOX.value,
    show_default=True,
    help="The tier; or quarantine, where it cannot be called.",
)
@why_option
@registry_option
@as_json
def demote(ref: str, to: str, why: str, registry: str, as_json: bool) -> int:
    """Move REF down at once, with whatever calls it. Nothing stands before that."""
    with open_existing(registry) as opened:
        tier = None if to == _QUARANTINE else Tier(to)
        version = opened.governance.demote(ref, tier, why=why)
    show_standing(version, as_json=as_json)
    return ExitCode.DONE


@click.command("review")
@registry_option
@profile_option
@as_json
def review(registry: str, profile: Profile, as_json: bool) -> int:
    """Let in what waits, and promote every tool that has earned it, as far as the budgets go.

    A budget is that of a cycle, which this is, and of 24 hours.
    """
    with open_existing(registry, profile) as opened:
        admitted = opened.governance.admit()
        taken = opened.governance.review()
        waiting = opened.governance.proposals()
    if as_json:
        print_json(
            {
                "admitted": [standing_as_json(version) for version in admitted],
                "promoted": [_step(step) for step in taken],
                "waiting": [version.ref for version in waiting],
            }
        )
        return ExitCode.DONE
    for version in admitted:
        say(f"{version.ref} is in use now.", "green")
    for step in taken:
        say(f"{step.version.ref} is at {step.target} now.", "green")
    if not taken:
        say("No tool has earned a promotion; `toolguild tools why NAME` says what is missing.")
    tell_waiting(len(waiting))
    return ExitCode.DONE


@click.command("rollback")
@click.argument("name")
@click.option("--to", metavar="REF", help="The version; the one before unless given.")
@why_option
@registry_option
@as_json
def rollback(name: str, to: str | None, why: str, registry: str, as_json: bool) -> int:
    """Let NAME mean an earlier version again, with that version's own tier and record."""
    with open_existing(registry) as opened:
        version = opened.governance.rollback(name, to, why=why)
    show_standing(version, as_json=as_json)
    return ExitCode.DONE


@click.command("why")
@click.argument("ref")
@registry_option
@profile_option
@as_json
def why_command(ref: str, registry: str, profile: Profile, as_json: bool) -> int:
    """Say why REF stands where it does, and what is missing for the next tier."""
    with open_existing(registry, profile) as opened:
        version = opened.tool(ref)
        rows = [
            row
            for row in opened.governance.history(version.spec.name)
            if row.subject == version.digest
        ]
        can_rise = version.state is State.ACTIVE and version.tier is not Tier.FULL
        step = opened.governance.promotion(ref) if can_rise else None
        flows = [str(flow) for flow in opened.governance.flows(version.ref)]
        requests = [*requests_of_step(opened, step)] if step else []
        waiting = opened.governance.waiting(ref)
        others = [
            one.ref
            for one in opened.governance.proposals()
            if one.spec.name == version.spec.name and one.digest != version.digest
        ]
    last = next((row for row in reversed(rows) if _changed_standing(row)), rows[-1])
    if as_json:
        print_json(
            {
                **standing_as_json(version),
                "since": _row(last),
                "data flow": [*flows],
                "next": _step(step) if step else None,
                "waiting": waiting_as_json(waiting) if waiting else None,
            }
        )
        return ExitCode.DONE
    out.print(plain(f"{version.ref} is {version.state}, at {version.tier}", "bold"))
    why = _body(last).get("why")
    told = f"since {last.at[:19]} UTC: {last.action} by {last.actor}"
    out.print(plain(f"{told}, {why}" if why else told))
    for line in told_of_waiting(waiting) if waiting else ():
        out.print(plain(line, "yellow"))
    for other in others:
        out.print(plain(f"{other} waits to come into use", "yellow"))
    for flow in () if step else flows:
        out.print(plain(f"data can go from {flow}", "yellow"))
    if step:
        out.print()
        _show_gates(step)
        for missing in step.missing:
            out.print(plain(f"missing: {missing}", "yellow"))
    for line in requests:
        out.print(plain(line))
    return ExitCode.DONE


@click.command("history")
@click.argument("name")
@registry_option
@as_json
def history(name: str, registry: str, as_json: bool) -> int:
    """Show everything that was done to the versions of NAME, the oldest first."""
    with open_existing(registry) as opened:
        rows = opened.governance.history(name)
        refs = {version.digest: version.ref for version in opened.versions(name)}
    if as_json:
        print_json({"history": [{**_row(row), "ref": refs.get(row.subject)} for row in rows]})
        return ExitCode.DONE
    table = new_table("version", "row", "when", "who", "what", "change", "why")
    for row in rows:
        table.add_row(
            plain(refs.get(row.subject, "a draft")),
            str(row.seq),
            row.at[:19],
            plain(row.actor),
            plain(row.action),
            plain(_change(row)),
            plain(str(_body(row).get("why", ""))),
        )
    out.print(table)
    return ExitCode.DONE


COMMANDS: Sequence[click.Command] = (promote, demote, review, rollback, why_command, history)
"""Of the group `tools`."""


def _show_gates(step: Promotion) -> None:
    table = new_table(f"{step.version.tier} to {step.target}", "", "asked", "found", "missing")
    for gate in step.gates:
        word, style = ("open", "green") if gate.passed else ("closed", "red")
        table.add_row(
            plain(gate.name), plain(word, style), gate.asked, plain(gate.found), plain(gate.missing)
        )
    out.print(table)
    if step.image:
        out.print(plain(f"The record is of uses in {step.image}."), soft_wrap=True)


def _step(step: Promotion) -> JsonObject:
    gates: list[Json] = [
        {
            "name": gate.name,
            "open": gate.passed,
            "asked": gate.asked,
            "found": gate.found,
            "missing": gate.missing,
        }
        for gate in step.gates
    ]
    return {
        "ref": step.version.ref,
        "tier": step.version.tier.value,
        "target": step.target.value,
        "earned": step.is_earned,
        "image": step.image,
        "requests": [one.id for one in step.requests],
        "gates": gates,
    }


def _row(row: AuditRow) -> JsonObject:
    return {
        "row": row.seq,
        "at": row.at,
        "actor": row.actor,
        "action": row.action,
        **_body(row),
        "hash": row.hash,
    }


def _body(row: AuditRow) -> JsonObject:
    content = row.content
    return content if isinstance(content, dict) else {}


def _changed_standing(row: AuditRow) -> bool:
    after = _body(row).get("after")
    return isinstance(after, dict) and "tier" in after


def _change(row: AuditRow) -> str:
    body = _body(row)
    before, after = body.get("before"), body.get("after")
    old = before if isinstance(before, dict) else {}
    new = after if isinstance(after, dict) else {}
    return ", ".join(
        f"{old[name]} to {value}" if old.get(name) else str(value)
        for name, value in new.items()
        if name in _SHOWN and old.get(name) != value
    ) or _noted(body)


def _noted(body: JsonObject) -> str:
    """Return what a row tells of that is no standing."""
    match body:
        case {"alias": {"alias": str(alias)}}:
            return f"@{alias.partition('@')[2]}"
        case {"approval": {"request": int(number), "target": str(target)}}:
            return f"request {number}, for {target}"
    return ""
