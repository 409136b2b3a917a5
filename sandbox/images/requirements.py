"""What packages programs want, as in the requirements files that pip reads.

Names, versions, extras, markers and hashes only: a path or an address would be built from source,
which runs code of its own, and options belong in pip's configuration.
Format: https://pip.pypa.io/en/stable/reference/requirements-file-format/
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from toolguild.policies import ToolguildError

__all__ = ["RequirementsError", "normalise_requirements", "read_requirements"]

_MAX_BYTES = 1_000_000
_COMMENT = re.compile(r"(^|\s)#.*$")
_HASH = re.compile(r"\s--hash[= ](?P<hash>[a-z0-9]+:[0-9a-fA-F]+)(?=\s|$)")
_ARCHIVE = (".bz2", ".gz", ".tar", ".tgz", ".whl", ".xz", ".zip")
"""What pip takes for a file, and not for a name."""
_VERSION = r"(?:===|==|~=|!=|<=|>=|<|>)\s*[A-Za-z0-9.*+!_-]+"
_REQUIREMENT = re.compile(
    r"(?P<name>[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)"
    r"\s*(?:\[(?P<extras>[A-Za-z0-9._, -]*)\])?"
    rf"\s*(?P<versions>{_VERSION}(?:\s*,\s*{_VERSION})*)?"
    r"\s*(?:;(?P<marker>[^\\]+))?"
)


class RequirementsError(ToolguildError, ValueError):
    """A list of requirements cannot be used; the message names the line."""


def read_requirements(path: Path) -> tuple[str, ...]:
    """Return the requirements in a file, one an entry.

    Raises:
        RequirementsError: it cannot be read, or holds something else.
    """
    try:
        if path.stat().st_size > _MAX_BYTES:
            msg = f"{path}: larger than {_MAX_BYTES:,} bytes, which no list of requirements is"
            raise RequirementsError(msg)
        text = path.read_text("utf-8")
    except OSError as error:
        msg = f"{path}: {error.strerror or error}"
        raise RequirementsError(msg) from error
    except UnicodeDecodeError as error:
        msg = f"{path}: not UTF-8 text (byte {error.start})"
        raise RequirementsError(msg) from error
    found = []
    for number, line in _logical_lines(text):
        try:
            found.append(_normalise(line))
        except RequirementsError as error:
            msg = f"{path}:{number}: {error}"
            raise RequirementsError(msg) from error
    return tuple(sorted({*found}))


def normalise_requirements(requirements: Iterable[str]) -> tuple[str, ...]:
    """Return requirements written the one way, each once, in order.

    Raises:
        RequirementsError: one of them is none.
    """
    return tuple(sorted({_normalise(requirement) for requirement in requirements}))


def _logical_lines(text: str) -> list[tuple[int, str]]:
    """Return what stands on each line that is not empty, with the number where it begins."""
    lines: list[tuple[int, str]] = []
    begun: tuple[int, str] | None = None
    for number, physical in enumerate(text.splitlines(), start=1):
        line = _COMMENT.sub("", physical).rstrip()
        start, before = begun or (number, "")
        begun = None
        if line.endswith("\\"):
            begun = (start, f"{before}{line[:-1]} ")
        elif joined := f"{before}{line}".strip():
            lines.append((start, joined))
    if begun and (rest := begun[1].strip()):
        lines.append((begun[0], rest))
    return lines


def _normalise(requirement: str) -> str:
    text = " ".join(requirement.split())
    hashes = sorted(match["hash"].lower() for match in _HASH.finditer(text))
    match = _REQUIREMENT.fullmatch(_HASH.sub("", text))
    if match is None or not text.isprintable() or match["name"].lower().endswith(_ARCHIVE):
        msg = (
            f"{text!r} is no requirement that can be baked in: it takes a name, "
            "versions, extras, a marker and hashes, and neither options nor paths nor addresses "
            "(name an index with PIP_INDEX_URL, a folder of wheels with PIP_FIND_LINKS)"
        )
        raise RequirementsError(msg)
    name = re.sub(r"[-_.]+", "-", match["name"]).lower()
    extras = sorted(filter(None, re.split(r"[,\s]+", match["extras"] or "")))
    versions = sorted(re.sub(r"\s+", "", match["versions"] or "").split(","))
    marker = " ".join((match["marker"] or "").split())
    return "".join(
        [
            name,
            f"[{','.join(extras)}]" if extras else "",
            ",".join(versions),
            f" ; {marker}" if marker else "",  # the space tells it from a part of the version
            *(f" --hash={one}" for one in hashes),
        ]
    )
