"""Anchored heads in git notes, which are pushed and fetched as commits are.

The ref is `refs/notes/toolguild`; each head is a line of the note on the commit that was checked
out. Git keeps the earlier states of notes, too: who cuts one off leaves a trace.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from toolguild.registry.anchors import AnchoredHead, AnchorError

__all__ = ["NOTES_REF", "append_note", "read_notes"]

NOTES_REF = "refs/notes/toolguild"
_TIMEOUT_S = 60


def append_note(repository: Path, anchor: AnchoredHead) -> None:
    """Add a head to the note on the commit that is checked out.

    Raises:
        AnchorError: there is no git, no repository or no commit, or git refused; it says why.
    """
    _git(repository, "notes", f"--ref={NOTES_REF}", "append", "--file=-", text=anchor.line)


def read_notes(repository: Path) -> list[str]:
    """Return the lines of all notes.

    Raises:
        AnchorError: there is no git or no repository, or git refused; it says why.
    """
    listed = _git(repository, "notes", f"--ref={NOTES_REF}", "list")
    notes = [line.split()[0] for line in listed.splitlines() if line]
    return [
        line for note in notes for line in _git(repository, "cat-file", "blob", note).split("\n")
    ]


def _git(repository: Path, *arguments: str, text: str = "") -> str:
    program = shutil.which("git")
    if program is None:
        msg = "there is no git here; install it, or anchor to a file with --anchor FILE"
        raise AnchorError(msg)
    try:
        done = subprocess.run(  # noqa: S603 - no argument comes from outside
            [program, "-C", str(repository), *arguments],
            input=text.encode(),
            capture_output=True,
            timeout=_TIMEOUT_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        msg = f"git {arguments[0]}: {error}"
        raise AnchorError(msg) from error
    if done.returncode != 0:
        said = done.stderr.decode("utf-8", "replace").strip()[:500]
        msg = f"git {arguments[0]} in {repository} failed: {said}"
        raise AnchorError(msg)
    return done.stdout.decode("utf-8", "replace")
