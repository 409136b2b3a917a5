"""`toolguild approvals`: what waits for a person's word."""

from __future__ import annotations

from collections.abc import Iterator

import click

from toolguild.cli.console import out, plain, print_json, say
from toolguild.cli.console import table as new_table
from toolguild.cli.errors import ExitCode
from toolguild.cli.escalations import effect_of, next_step, told_of
from toolguild.cli.profile import profile_option
from toolguild.cli.registries import open_existing
from toolguild.cli.settings import as_json, registry_option
from toolguild.policies import Profile
from toolguild.registry import Answer, Approval, ChangeRefusedError, Registry
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
        table = new_table("request", "tool", "asks for", "effect", "by", "answer", "until", "why")
        for one in found:
            table.add_row(
                str(one.id),
                plain(one.ref),
                one.target.value,
                plain(effect_of(one)),
                plain("the tool" if one.escalation else one.asked_by),
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
        escalation = told_of(opened, one)
    told: JsonObject = {**_as_json(one), "escalation": escalation or None}
    if as_json:
        print_json(told)
        return ExitCode.DONE
    table = new_table("", "", header=False)
    for name, value in _flat(told):
        table.add_row(plain(name), plain(value))
    out.print(table)
    return ExitCode.DONE


def _flat(told: JsonObject) -> Iterator[tuple[str, str]]:
    """Yield a name and a text for each row."""
    for name, value in told.items():
        match value:
            case None | "":
                continue
            case dict():
                yield from _flat(value)
            case [*items]:
                yield from ((name, _line(item)) for item in items)
            case _:
                yield name, str(value)


def _line(item: Json) -> str:
    match item:
        case {"line": line, "text": text}:
            return f"line {line}: {text}"
    return str(item)


@approvals.command("approve")
@click.argument("number", type=int)
@why_option
@registry_option
@profile_option
def approve(number: int, why: str, registry: str, profile: Profile) -> int:
    """Approve request NUMBER; the promotion itself is another step, and checks every gate."""
    with open_existing(registry, profile) as opened:
        answered = _answer(opened, number, Answer.APPROVED, why)
        try:
            for line in next_step(opened, answered):
                say(line)
        except ChangeRefusedError as error:
            say(str(error), "yellow")
    return ExitCode.DONE


@approvals.command("deny")
@click.argument("number", type=int)
@why_option
@registry_option
def deny(number: int, why: str, registry: str) -> int:
    """Deny request NUMBER."""
    with open_existing(registry) as opened:
        _answer(opened, number, Answer.DENIED, why)
    return ExitCode.DONE


def _answer(registry: Registry, number: int, given: Answer, why: str) -> Approval:
    answered = registry.governance.answer(number, given, why=why)
    say(f"Request {number} for {answered.ref} is {given.value}, by {answered.answered_by}.")
    return answered


def _as_json(one: Approval) -> JsonObject:
    return {
        "request": one.id,
        "ref": one.ref,
        "version": one.version,
        "asks for": one.target.value,
        "asked by": one.asked_by,
        "asked at": one.asked_at.isoformat(),
        "why": one.why,
        "found then": None if one.escalation else one.evidence,
        "answer": one.answer.value,
        "answered by": one.answered_by,
        "answered at": None if one.answered_at is None else one.answered_at.isoformat(),
        "reason": one.reason,
        "until": one.expires_at.isoformat(),
    }
