"""`toolguild approvals`: what waits for a person's word."""

from __future__ import annotations

import click

from toolguild.cli.console import out, plain, print_json, say
from toolguild.cli.console import table as new_table
from toolguild.cli.errors import ExitCode
from toolguild.cli.registries import open_existing
from toolguild.cli.settings import as_json, registry_option
from toolguild.registry import Answer, Approval
from toolguild.sandbox import Json, JsonObject

__all__ = ["approvals"]

why_option = click.option("--why", default="", metavar="TEXT", help="Kept in the audit trail.")


@click.group()
def approvals() -> None:
    """Answer what tools and people ask for: somebody else than who asked has to."""


@approvals.command("list")
@click.option("--all", "show_all", is_flag=True, help="Those that are answered or expired, too.")
@registry_option
@as_json
def list_approvals(show_all: bool, registry: str, as_json: bool) -> int:
    """List the requests that wait for an answer."""
    with open_existing(registry) as opened:
        now = opened.now()
        found = [
            one
            for one in opened.governance.requests()
            if show_all or (one.answer is Answer.OPEN and not one.is_expired(now))
        ]
    if as_json:
        rows: list[Json] = [_as_json(one) for one in found]
        print_json({"requests": rows})
    elif not found:
        say("Nothing waits for an answer.")
    else:
        table = new_table("request", "tool", "asks for", "by", "answer", "until", "why")
        for one in found:
            table.add_row(
                str(one.id),
                plain(one.ref),
                one.target.value,
                plain(one.asked_by),
                one.answer.value,
                f"{one.expires_at:%Y-%m-%d %H:%M}",
                plain(one.why),
            )
        out.print(table)
    return ExitCode.DONE


@approvals.command("show")
@click.argument("number", type=int)
@registry_option
@as_json
def show(number: int, registry: str, as_json: bool) -> int:
    """Show request NUMBER, with what was known of the tool when it was asked."""
    with open_existing(registry) as opened:
        one = opened.governance.request(number)
    if as_json:
        print_json(_as_json(one))
        return ExitCode.DONE
    table = new_table("", "", header=False)
    for name, value in _as_json(one).items():
        if isinstance(value, dict):
            for gate, found in value.items():
                table.add_row(plain(gate), plain(str(found)))
        elif value not in (None, ""):
            table.add_row(plain(name), plain(str(value)))
    out.print(table)
    return ExitCode.DONE


@approvals.command("approve")
@click.argument("number", type=int)
@why_option
@registry_option
def approve(number: int, why: str, registry: str) -> int:
    """Approve request NUMBER; the promotion itself is another step, and checks every gate."""
    return _answer(number, Answer.APPROVED, why, registry)


@approvals.command("deny")
@click.argument("number", type=int)
@why_option
@registry_option
def deny(number: int, why: str, registry: str) -> int:
    """Deny request NUMBER."""
    return _answer(number, Answer.DENIED, why, registry)


def _answer(number: int, given: Answer, why: str, registry: str) -> int:
    with open_existing(registry) as opened:
        answered = opened.governance.answer(number, given, why=why)
    say(f"Request {number} for {answered.ref} is {given.value}, by {answered.answered_by}.")
    if given is Answer.APPROVED:
        say(f"`toolguild tools promote {answered.ref}` moves it to {answered.target} now.")
    return ExitCode.DONE


def _as_json(one: Approval) -> JsonObject:
    return {
        "request": one.id,
        "ref": one.ref,
        "version": one.version,
        "asks for": one.target.value,
        "asked by": one.asked_by,
        "asked at": one.asked_at.isoformat(),
        "why": one.why,
        "found then": one.evidence,
        "answer": one.answer.value,
        "answered by": one.answered_by,
        "answered at": None if one.answered_at is None else one.answered_at.isoformat(),
        "reason": one.reason,
        "until": one.expires_at.isoformat(),
    }
