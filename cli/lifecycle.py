"""`toolguild tools retire`, `restore` and `alias`, and what is said of versions that wait."""

from __future__ import annotations

from collections.abc import Sequence

import click

from toolguild.cli.console import print_json, say
from toolguild.cli.errors import ExitCode
from toolguild.cli.profile import profile_option
from toolguild.cli.registries import open_existing
from toolguild.cli.settings import as_json, registry_option
from toolguild.cli.standing import show_standing
from toolguild.policies import Profile
from toolguild.registry import State, Waiting
from toolguild.sandbox import JsonObject

__all__ = ["COMMANDS", "LISTED_STATES", "tell_waiting", "told_of_waiting", "waiting_as_json"]

LISTED_STATES = tuple(state.value for state in State if state is not State.REJECTED)
"""What `tools list --state` takes: no version is rejected."""

_why_option = click.option("--why", default="", metavar="TEXT", help="Kept in the audit trail.")


@click.command("retire")
@click.argument("ref")
@_why_option
@registry_option
@as_json
def retire(ref: str, why: str, registry: str, as_json: bool) -> int:
    """Take REF out of use; one that waits to come into use leaves the line."""
    with open_existing(registry) as opened:
        version = opened.governance.retire(ref, why=why)
    show_standing(version, as_json=as_json)
    return ExitCode.DONE


@click.command("restore")
@click.argument("ref")
@_why_option
@registry_option
@profile_option
@as_json
def restore(ref: str, why: str, registry: str, profile: Profile, as_json: bool) -> int:
    """Take REF, which is retired or quarantined, into use again, in the tier sandbox.

    One that was retired before it ever was in use counts as a new tool of today.
    """
    with open_existing(registry, profile) as opened:
        version = opened.governance.restore(ref, why=why)
    show_standing(version, as_json=as_json)
    return ExitCode.DONE


@click.command("alias")
@click.argument("ref")
@click.argument("alias")
@click.option("--remove", is_flag=True, help="Take the alias from the tool.")
@_why_option
@registry_option
@as_json
def alias(ref: str, alias: str, remove: bool, why: str, registry: str, as_json: bool) -> int:
    """Let `NAME@ALIAS` stand for REF, whatever it stood for before.

    REF is `name`, for the version that it means now, or one such as `name@3`. Agents go on calling
    what the name means.
    """
    name = ref.partition("@")[0]
    stands_for = None
    with open_existing(registry) as opened:
        if remove:
            opened.governance.unalias(name, alias, why=why)
        else:
            stands_for = opened.governance.alias(ref, alias, why=why).ref
    if as_json:
        print_json({"alias": f"{name}@{alias}", "ref": stands_for})
    else:
        say(f"{name}@{alias} is {stands_for or 'nothing'} now.")
    return ExitCode.DONE


COMMANDS: Sequence[click.Command] = (retire, restore, alias)
"""Of the group `tools`."""


def tell_waiting(count: int) -> None:
    """Say that some tools wait for the budget of new tools, if any do."""
    if count:
        verb = "tool waits" if count == 1 else "tools wait"
        say(f"{count} {verb} to come into use: the budget of new tools has no room.", "yellow")
        say("`toolguild tools review` lets them in; `tools list --state proposed` shows the line.")


def told_of_waiting(waiting: Waiting) -> list[str]:
    """Return what a version waits for, a line each."""
    lines = [f"waits to come into use: place {waiting.place} in the line"]
    if waiting.ahead:
        lines.append(f"it calls {', '.join(waiting.ahead)}, which waits as well and goes first")
    room = f"{waiting.left_today} today, {waiting.a_cycle} in one cycle"
    return [*lines, f"room for new tools: {room}; `toolguild tools review` is a cycle"]


def waiting_as_json(waiting: Waiting) -> JsonObject:
    """Return the same as plain data."""
    return {
        "place": waiting.place,
        "ahead": [*waiting.ahead],
        "left_today": waiting.left_today,
        "a_cycle": waiting.a_cycle,
    }
