"""What `toolguild measure` says of code: what calls of tools would have saved in it."""

from __future__ import annotations

from collections.abc import Sequence

from toolguild.cli.console import out, plain, say
from toolguild.cli.console import table as new_table
from toolguild.sandbox import Json, JsonObject
from toolguild.synth.rewriting import MeasuredCode, Use

__all__ = ["code_as_json", "show_code"]


def code_as_json(measured: MeasuredCode) -> JsonObject:
    """Return everything that was measured, every single use included."""
    tools: list[Json] = [
        {
            "tool": ref,
            "uses": tally.uses,
            "characters_saved": tally.characters,
            "tokens_saved": tally.tokens,
            "uses_refused": tally.refused,
        }
        for ref, tally in sorted(measured.tallies.items())
    ]
    return {
        "programs": measured.programs,
        "programs_rewritten": measured.rewritten,
        "programs_not_run": measured.not_run,
        "snippets": measured.snippets,
        "characters": {"before": measured.before, "after": measured.after},
        "tokens": {"before": measured.tokens_before, "after": measured.tokens_after},
        "tools": tools,
        "uses": [_use(one) for one in measured.uses],
        "refused": [{**_use(one), "why": why} for one, why in measured.refused],
    }


def _use(one: Use) -> JsonObject:
    lines: list[Json] = [*one.place.lines]
    return {
        "trace": one.trace_id,
        "step": one.source,
        "lines": lines,
        "tool": one.place.tool.ref,
        "put": one.place.text,
    }


def show_code(measured: MeasuredCode) -> None:
    """Print what each tool would have saved, and all of them together."""
    table = new_table("tool", "uses", "characters saved", "tokens saved", "refused")
    ranked = sorted(measured.tallies.items(), key=lambda one: (-one[1].characters, one[0]))
    for ref, tally in ranked:
        numbers: Sequence[int] = (tally.uses, tally.characters, tally.tokens, tally.refused)
        table.add_row(plain(ref), *map(str, numbers))
    out.print(table)
    share = measured.saved / measured.before if measured.before else 0.0
    out.print(
        f"{measured.saved:,} of {measured.before:,} characters of code in {measured.programs} runs"
        f" saved ({share:.1%}), {measured.tokens_before - measured.tokens_after:,} tokens;"
        f" {measured.rewritten} runs do the same with calls of tools."
    )
    if measured.refused:
        say(f"{len(measured.refused)} uses that would have changed something are not counted.")
    if measured.not_run:
        say(f"{measured.not_run} runs cannot be run again here, and count as they are.")
