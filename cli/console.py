"""Writing for people and for programs: data to stdout, everything else to stderr.

Names, texts and errors come from traces and tools. They are shown as plain text: no markup, no
control characters, so that a log cannot steer the reader's terminal.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from toolguild.sandbox import Json

__all__ = [
    "counted",
    "err",
    "out",
    "plain",
    "print_json",
    "progress",
    "say",
    "table",
    "table_of_patterns",
]

PIPED_WIDTH = 160
"""Columns of a table that goes to a file or a pipe, where no terminal says how wide it is."""

out = Console(
    markup=False,
    highlight=False,
    emoji=False,
    width=None if sys.stdout.isatty() else PIPED_WIDTH,
)
err = Console(stderr=True, markup=False, highlight=False, emoji=False, soft_wrap=True)

_LINES = {ord("\t"), ord("\n")}
_CONTROLS = {*range(32), *range(127, 160)}
_BIDIRECTIONAL = {*range(0x202A, 0x202F), *range(0x2066, 0x206A), 0x200E, 0x200F, 0x061C}
"""Overrides and isolates, which make text read as what it is not."""

_HIDDEN = dict.fromkeys(_CONTROLS | _BIDIRECTIONAL, "\N{REPLACEMENT CHARACTER}")
_HIDDEN_BUT_LINES = {code: mark for code, mark in _HIDDEN.items() if code not in _LINES}


def plain(text: str, style: str = "", *, keep_lines: bool = False) -> Text:
    """Return untrusted text as it may be shown."""
    return Text(text.translate(_HIDDEN_BUT_LINES if keep_lines else _HIDDEN), style=style)


def table_of_patterns(*columns: str) -> Table:
    """Return an empty table whose first column is wrapped where it must be, and no other."""
    made = Table(box=None, pad_edge=False)
    for number, column in enumerate(columns):
        made.add_column(column, no_wrap=number > 0, overflow="fold")
    return made


def table(*columns: str, header: bool = True) -> Table:
    """Return an empty table whose first column is never cut or wrapped."""
    made = Table(box=None, pad_edge=False, show_header=header)
    for number, column in enumerate(columns):
        made.add_column(column, no_wrap=number == 0, overflow="fold")
    return made


def counted(count: int, noun: str) -> str:
    """Return a number and its noun, as `1 run` and `2 runs`."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def say(message: str, style: str = "") -> None:
    """Write a message for a person to stderr."""
    err.print(plain(message, style, keep_lines=True))


def print_json(value: Json) -> None:
    """Write one JSON document to stdout."""
    out.file.write(json.dumps(value, indent=2, ensure_ascii=True) + "\n")


@contextmanager
def progress() -> Iterator[Progress]:
    """Show progress bars on stderr while the block runs, if someone is looking."""
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=err, transient=True, disable=not err.is_terminal) as bar:
        yield bar
