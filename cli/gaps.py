"""What agents could not do, for a person and as data."""

from __future__ import annotations

from collections.abc import Sequence

from toolguild.cli.console import out, plain
from toolguild.cli.console import table as new_table
from toolguild.sandbox import Json, JsonObject
from toolguild.synth.mining import Attempt, CapabilityGap

__all__ = ["gap_as_json", "show_gaps"]

_MAX_SHOWN = 10
_MAX_ABOUT = 70
_MAX_TRIED = 4


def gap_as_json(gap: CapabilityGap) -> JsonObject:
    """Return a gap as plain data, with all its attempts."""
    attempts: list[Json] = [_attempt(attempt) for attempt in gap.attempts]
    return {
        "kind": str(gap.kind),
        "about": gap.about,
        "support": gap.support,
        "open_tasks": gap.open_tasks,
        "attempts": attempts,
    }


def _attempt(attempt: Attempt) -> JsonObject:
    return {
        "trace": attempt.trace_id,
        "task": attempt.task_id,
        "place": str(attempt.place),
        "tried": [*attempt.tried],
        "overcome": attempt.overcome,
    }


def show_gaps(gaps: Sequence[CapabilityGap]) -> None:
    """Print the gaps of most tasks, if there are any."""
    if not gaps:
        return
    table = new_table("what agents lacked", "kind", "tasks", "open", "tried", "first seen")
    for gap in gaps[:_MAX_SHOWN]:
        tried = list(dict.fromkeys(name for one in gap.attempts for name in one.tried))
        more = ", ..." if len(tried) > _MAX_TRIED else ""
        table.add_row(
            plain(_short(gap.about)),
            str(gap.kind),
            str(gap.support),
            str(gap.open_tasks),
            plain(", ".join(tried[:_MAX_TRIED]) + more),
            plain(str(gap.attempts[0].place)),
        )
    out.print()
    out.print(table)
    if len(gaps) > _MAX_SHOWN:
        out.print(f"{len(gaps) - _MAX_SHOWN:,} more such gaps; --json lists all.")


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _MAX_ABOUT else f"{line[: _MAX_ABOUT - 3]}..."
