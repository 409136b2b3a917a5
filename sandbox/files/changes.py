"""Files that go to a program, and what comes back of them, which the host checks all over.

What a worker says is not believed: it stands at the edge of what programs may have reached.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from toolguild.sandbox.access import FileChange
from toolguild.sandbox.base import Json
from toolguild.sandbox.files.bundle import INDEX_LENGTH, MAX_LEFT_OUT, encode_index
from toolguild.sandbox.files.tree import CONTROL, path_fault, shown
from toolguild.sandbox.values import decode_untrusted

__all__ = ["Parcel", "UnsoundChangesError", "parents"]

_MAX_LINE = 1000  # characters


class UnsoundChangesError(ValueError):
    """They cannot have come about: the worker is no longer itself."""


@dataclass(frozen=True, slots=True)
class Parcel:
    """The files that a program finds in its workspace."""

    bundle: bytes
    """They themselves, as the worker takes them."""
    paths: frozenset[str]
    capacity: int
    """Bytes that the workspace may hold."""

    @classmethod
    def of(cls, folders: Sequence[str], files: Mapping[str, bytes], capacity: int) -> Parcel:
        """Pack files by their paths; each folder comes after the one that it lies in."""
        sizes = [(path, len(content)) for path, content in files.items()]
        index = encode_index({"folders": folders, "files": sizes})
        return cls(b"".join((index, *files.values())), frozenset(files), capacity)

    def read_changes(self, bundle: bytes) -> tuple[tuple[FileChange, ...], tuple[str, ...]]:
        """Return the changes, by path, and the lines about what cannot come back.

        Args:
            bundle: What the worker sent; empty where it has nothing to say.

        Raises:
            UnsoundChangesError: no worker would send this.
        """
        if not bundle:
            return (), ()
        index, contents = _split(bundle)
        match index:
            case {"files": list(files), "removed": list(removed), "left_out": list(left_out)}:
                written = _written(files, contents)
                gone = [_path(path) for path in removed]
                lines = tuple(_line(line) for line in left_out)
            case _:
                msg = "a part of the index is missing"
                raise UnsoundChangesError(msg)
        _require(len(contents) <= self.capacity, "more than there is room for")
        _require(len(lines) <= MAX_LEFT_OUT + 1, "too many lines")
        self._check_tree(written, gone)
        changes = [FileChange(path, content) for path, content in written.items()]
        changes += [FileChange(path, None) for path in gone]
        return tuple(sorted(changes, key=lambda change: change.path)), lines

    def _check_tree(self, written: Mapping[str, bytes], gone: Sequence[str]) -> None:
        _require(_ascends(list(written)) and _ascends(gone), "paths in disorder")
        _require(self.paths >= {*gone}, "a file is gone that was not there")
        _require(written.keys().isdisjoint(gone), "a file is both gone and there")
        after = (self.paths - {*gone}) | written.keys()
        _require(not any(after & {*parents(path)} for path in after), "a file is a folder, too")


def parents(path: str) -> Iterator[str]:
    """Return the folders that a path leads through, the innermost first."""
    while path := path.rpartition("/")[0]:
        yield path


def _split(bundle: bytes) -> tuple[Json, memoryview]:
    _require(len(bundle) >= INDEX_LENGTH.size, "the index is cut off")
    end = INDEX_LENGTH.size + INDEX_LENGTH.unpack_from(bundle)[0]
    _require(end <= len(bundle), "the index is cut off")
    try:
        return decode_untrusted(bundle[INDEX_LENGTH.size : end]), memoryview(bundle)[end:]
    except ValueError as error:
        msg = f"the index is no JSON: {error}"
        raise UnsoundChangesError(msg) from error


def _written(files: Sequence[Json], contents: memoryview) -> dict[str, bytes]:
    found, start = {}, 0
    for file in files:
        match file:
            case [path, int(size)] if size >= 0:
                found[_path(path)] = bytes(contents[start : start + size])
                start += size
            case _:
                msg = "a file without a size"
                raise UnsoundChangesError(msg)
    _require(len(found) == len(files), "a path comes twice")
    _require(start == len(contents), "contents of another size")
    return found


def _path(value: Json) -> str:
    if not isinstance(value, str) or path_fault(value):
        msg = f"a path that is none: {shown(str(value))}"
        raise UnsoundChangesError(msg)
    return value


def _line(value: Json) -> str:
    if not isinstance(value, str) or len(value) > _MAX_LINE or CONTROL.search(value):
        msg = "a line that is none"
        raise UnsoundChangesError(msg)
    return value


def _ascends(paths: Sequence[str]) -> bool:
    return list(paths) == sorted({*paths})


def _require(holds: bool, otherwise: str) -> None:
    if not holds:
        raise UnsoundChangesError(otherwise)
