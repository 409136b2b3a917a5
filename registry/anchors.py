"""Heads of the chains that are kept outside of the database, for `audit.verify` to meet again.

A chain of hashes does not show that rows were cut off at its end, nor that all of it was written
anew. A head that was kept elsewhere shows both: its row must still be there, and be the same. An
anchored head is one line of text, `row hash time use hash`, of the trail's last row and of the last
use; where it is signed also `key signature`. Lines from before uses were anchored have none.
"""

from __future__ import annotations

import base64
import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from toolguild.policies import ToolguildError
from toolguild.registry.chain import read_head
from toolguild.registry.durable import sync_folder
from toolguild.registry.heads import Head
from toolguild.registry.rows import time_text
from toolguild.registry.signing import PrivateKey, PublicKey
from toolguild.registry.store import Registry

__all__ = [
    "AnchorError",
    "AnchoredHead",
    "append_to_file",
    "read_anchors",
    "read_file",
    "take_anchor",
]

_PAYLOAD_TYPE = "application/vnd.toolguild.audit-head"
_MAX_BYTES = 16 * 1024 * 1024
_NUMBER, _HASH = "(?:0|[1-9][0-9]{0,17})", "sha256:[0-9a-f]{64}"
_LINE = re.compile(
    rf"(?P<seq>{_NUMBER}) (?P<hash>{_HASH}) (?P<at>[0-9T:.+-]{{20,40}})"
    rf"(?: (?P<use>{_NUMBER}) (?P<use_hash>{_HASH}))?"
    rf"(?: (?P<key>{_HASH}) (?P<signature>[A-Za-z0-9+/]{{86}}==))?"
)


class AnchorError(ToolguildError, ValueError):
    """Anchored heads cannot be kept, read or believed; the message names the place."""


@dataclass(frozen=True, slots=True)
class AnchoredHead:
    """The ends of the chains, as they were at some time."""

    seq: int
    """Number of the last row of the trail."""
    hash: str
    """Its hash."""
    at: str
    """When it was anchored: ISO 8601, UTC."""
    uses: Head | None = None
    """The last use; None in lines from before uses were anchored."""
    key: str | None = None
    """Id of the key that signed it."""
    signature: str | None = None
    """Base64."""

    @property
    def content(self) -> str:
        """What is signed."""
        trail = f"{self.seq} {self.hash} {self.at}"
        return f"{trail} {self.uses.seq} {self.uses.hash}" if self.uses else trail

    @property
    def line(self) -> str:
        """The text that is kept."""
        return f"{self.content} {self.key} {self.signature}" if self.key else self.content


def take_anchor(registry: Registry, key: PrivateKey | None = None) -> AnchoredHead:
    """Return the present ends of the chains, signed where there is a key."""
    with registry.database.read() as connection:
        present = read_head(connection)
    at = time_text(registry.now())
    taken = AnchoredHead(present.seq, present.hash, at, present.uses)
    if key is None:
        return taken
    signature = key.sign(_PAYLOAD_TYPE, taken.content.encode())
    return replace(taken, key=key.public.id, signature=base64.b64encode(signature).decode())


def read_anchors(
    lines: Iterable[str], where: str, trusted: Sequence[PublicKey] = ()
) -> list[AnchoredHead]:
    """Read anchored heads.

    Args:
        lines: A head each; empty ones are passed over.
        where: What to call the place in messages.
        trusted: If given, each head must be signed by one of these keys.

    Raises:
        AnchorError: a line is no head or is not signed as it must be, or there is none.
    """
    keys = {key.id: key for key in trusted}
    anchors = [
        _read_line(line, f"{where}:{number}", keys)
        for number, line in enumerate(lines, start=1)
        if line.strip()
    ]
    if not anchors:
        msg = f"{where}: no head is anchored there; `toolguild audit head` anchors one"
        raise AnchorError(msg)
    return anchors


def append_to_file(path: Path, anchor: AnchoredHead) -> None:
    """Add a head to a file, and return once it is on the disk.

    Raises:
        AnchorError: the file cannot be written, or its last line is not whole.
    """
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_NONBLOCK, 0o600)
        with os.fdopen(descriptor, "rb+", buffering=0) as file:
            if file.seek(0, os.SEEK_END) > 0:
                file.seek(-1, os.SEEK_END)
                if file.read(1) != b"\n":
                    msg = f"{path}: its last line is not whole; take it out, and anchor again"
                    raise AnchorError(msg)
            # In one write, so that two processes cannot put their lines into one another.
            file.write(f"{anchor.line}\n".encode())
            os.fsync(file.fileno())
        sync_folder(path.parent)
    except OSError as error:
        msg = f"{path}: {error.strerror or error}; the head was not anchored"
        raise AnchorError(msg) from error


def read_file(path: Path) -> list[str]:
    """Return the lines of a file of anchored heads.

    Raises:
        AnchorError: it cannot be read, or is no such file.
    """
    try:
        with path.open("rb") as file:
            data = file.read(_MAX_BYTES + 1)
        text = data.decode("ascii")
    except OSError as error:
        msg = f"{path}: {error.strerror or error}; give the file that heads were anchored in"
        raise AnchorError(msg) from error
    except UnicodeDecodeError as error:
        msg = f"{path}: no file of anchored heads (byte {error.start})"
        raise AnchorError(msg) from error
    if len(data) > _MAX_BYTES:
        msg = f"{path}: larger than {_MAX_BYTES:,} bytes; keep the newest heads in another file"
        raise AnchorError(msg)
    return text.split("\n")


def _read_line(line: str, where: str, keys: dict[str, PublicKey]) -> AnchoredHead:
    match = _LINE.fullmatch(line)
    if match is None:
        msg = f"{where}: not an anchored head: {line[:60]!r}"
        raise AnchorError(msg)
    uses = Head(int(match["use"]), match["use_hash"]) if match["use"] else None
    anchor = AnchoredHead(
        int(match["seq"]), match["hash"], match["at"], uses, match["key"], match["signature"]
    )
    if keys and not _signed(anchor, keys):
        msg = f"{where}: row {anchor.seq} is not signed by a trusted key: the line was changed"
        raise AnchorError(msg)
    return anchor


def _signed(anchor: AnchoredHead, keys: dict[str, PublicKey]) -> bool:
    key = keys.get(anchor.key or "")
    if key is None:
        return False
    signature = base64.b64decode(anchor.signature or "")
    return key.verifies(signature, _PAYLOAD_TYPE, anchor.content.encode())
