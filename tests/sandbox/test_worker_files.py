"""The worker's side of a workspace, alone: whatever lies there is found, named and removed."""

from __future__ import annotations

import os
import resource
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from toolguild.sandbox import FileChange
from toolguild.sandbox.files import tree
from toolguild.sandbox.files import worker_files as files
from toolguild.sandbox.files.changes import Parcel
from toolguild.sandbox.files.worker_files import WorkerFiles

CAPACITY = 1 << 20
NOTHING = Parcel.of((), {}, CAPACITY)


@pytest.fixture
def place(tmp_path) -> Path:
    made = tmp_path / "workspace"
    made.mkdir()
    return made


@pytest.fixture
def worker(place, tmp_path) -> Iterator[WorkerFiles]:
    (tmp_path / "scratch").mkdir()
    made = WorkerFiles(str(place), [str(tmp_path / "scratch")], CAPACITY)
    yield made
    made.close()


def found(worker: WorkerFiles, parcel: Parcel = NOTHING) -> tuple[list[FileChange], list[str]]:
    changes = worker.changes()
    assert not changes.too_much
    read, left_out = parcel.read_changes(changes.index + b"".join(worker.read(changes)))
    return list(read), list(left_out)


def test_whatever_is_no_file_is_named_and_removed(worker, place, tmp_path) -> None:
    (place / "link").symlink_to(tmp_path)
    (place / "loop").symlink_to("loop")
    os.mkfifo(place / "fifo")
    with socket.socket(socket.AF_UNIX) as listening:
        folder = os.open(place, os.O_RDONLY)
        listening.bind(f"/proc/self/fd/{folder}/socket")  # the name itself may be too long for it
        os.close(folder)
    (place / "file").write_text("x")
    os.link(place / "file", place / "again")
    expected = ["again: a hard link", "fifo: a named pipe", "file: a hard link"]
    expected += ["link: a symbolic link", "loop: a symbolic link", "socket: a socket"]
    if os.geteuid() == 0:
        os.mknod(place / "device", 0o020666, os.makedev(1, 3))
        expected.insert(1, "device: a device")
    assert found(worker) == ([], expected)
    worker.empty()
    assert not list(place.iterdir())
    assert tmp_path.exists()


def test_what_a_link_leads_to_stays(worker, place, tmp_path) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "file").write_text("x")
    (place / "link").symlink_to(tmp_path / "outside")
    (place / "deep").mkdir()
    (place / "deep" / "link").symlink_to(tmp_path / "outside" / "file")
    worker.empty()
    assert (tmp_path / "outside" / "file").read_text() == "x"


def test_a_change_is_told_by_content_and_not_by_time(worker, place) -> None:
    parcel = Parcel.of((), {"same": b"1234", "other": b"1234", "longer": b"1"}, CAPACITY)
    worker.lay_out(memoryview(parcel.bundle))
    times = {path: path.stat().st_mtime_ns for path in place.iterdir()}
    (place / "same").unlink()
    (place / "same").write_bytes(b"1234")
    (place / "other").write_bytes(b"4321")
    (place / "longer").write_bytes(b"12")
    for path, time in times.items():
        os.utime(path, ns=(time, time))
    os.utime(place / "same", ns=(0, 0))
    changes, _ = found(worker, parcel)
    assert changes == [FileChange("longer", b"12"), FileChange("other", b"4321")]


@pytest.fixture
def patient(monkeypatch) -> None:
    """As in memory; on a disk it takes longer."""
    monkeypatch.setattr(files, "_EMPTY_S", 60.0)


def test_a_tree_of_any_depth_is_removed_with_few_descriptors(worker, place, patient) -> None:
    here = os.open(place, os.O_RDONLY)
    for _ in range(5000):
        os.mkdir("d", dir_fd=here)
        deeper = os.open("d", os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = deeper
    highest = here
    os.close(here)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (highest + 5, hard))
    try:
        worker.empty()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert not list(place.iterdir())


def test_a_wide_tree_is_removed(worker, place, patient) -> None:
    for number in range(2000):
        (place / f"{number}/a").mkdir(parents=True)
        (place / f"{number}/file").touch()
    worker.empty()
    assert not list(place.iterdir())


def test_what_takes_too_long_to_remove_is_given_up(worker, place, monkeypatch) -> None:
    (place / "a" / "b").mkdir(parents=True)
    monkeypatch.setattr(files, "_EMPTY_S", -1.0)
    with pytest.raises(TimeoutError, match="still folders"):
        worker.empty()


def test_what_cannot_be_removed_is_an_error(worker, place, monkeypatch) -> None:
    (place / "a").touch()

    def refuse(*arguments: object, **options: object) -> None:
        raise PermissionError(1, "refused")

    monkeypatch.setattr(files.os, "unlink", refuse)
    with pytest.raises(PermissionError):
        worker.empty()


def test_no_more_entries_are_looked_at_than_there_may_be(worker, place, monkeypatch) -> None:
    monkeypatch.setattr(tree, "MAX_ENTRIES", 5)
    for name in ("a", "b", "c/d/e"):
        (place / name).mkdir(parents=True)
    assert not worker.changes().too_much
    (place / "f").touch()
    changes = worker.changes()
    assert changes.too_much == "It left more than 5 files and folders"
    assert NOTHING.read_changes(changes.index) == ((), (changes.too_much,))


def test_a_file_that_shrinks_while_it_is_read_is_an_error(worker, place) -> None:
    (place / "a").write_bytes(bytes(100))
    changes = worker.changes()
    (place / "a").write_bytes(bytes(10))
    with pytest.raises(OSError, match="90 bytes too early"):
        list(worker.read(changes))


@pytest.mark.parametrize(
    ("path", "fault"),
    [
        ("a/b", ""),
        ("x" * 255, ""),
        ("/".join("d" * 50), ""),
        ("", "a name in it"),
        ("/a", "a name in it"),
        ("a/", "a name in it"),
        ("a//b", "a name in it"),
        ("../a", "a name in it"),
        ("a/./b", "a name in it"),
        ("a\0", "control characters"),
        ("a\nb", "control characters"),
        ("\x7f", "control characters"),
        ("\udcff", "not UTF-8"),
        ("x" * 256, "longer than 255 bytes"),
        ("\N{SNOWMAN}" * 86, "longer than 255 bytes"),
        ("/".join("d" * 51), "deeper than 50 names"),
        ("/".join(["d" * 249] * 4), ""),
        ("/".join(["d" * 249, "d" * 249, "d" * 249, "d" * 250, "d"]), "longer than 1000 bytes"),
    ],
)
def test_paths_that_can_stand_for_a_file(path, fault) -> None:
    assert bool(tree.path_fault(path)) is bool(fault)
    assert fault in tree.path_fault(path)
