"""A caller's directory: what is read of it, and how changes are carried out: all or none."""

from __future__ import annotations

import errno
import fcntl
import os
import signal
import stat
import tempfile
import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from toolguild.sandbox import FileChange, Outcome, SandboxUnavailableError, Status
from toolguild.sandbox.files import carry_out, workspace
from toolguild.sandbox.files.carry_out import STAGING
from toolguild.sandbox.files.changes import Parcel
from toolguild.sandbox.files.tree import MAX_ENTRIES
from toolguild.sandbox.files.worker_files import WorkerFiles
from toolguild.sandbox.files.workspace import Workspace
from toolguild.sandbox.linux import kernel

names = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cc", "Cs"), exclude_characters="/"),
    min_size=1,
    max_size=6,
).filter(lambda name: name not in (".", "..") and len(name.encode()) <= 255)
folders = st.recursive(
    st.dictionaries(names, st.binary(max_size=20), max_size=4),
    lambda inner: st.dictionaries(names, inner | st.binary(max_size=20), max_size=4),
    max_leaves=12,
)


def flat(folder: Mapping[str, Any], prefix: str = "") -> dict[str, bytes]:
    """Return the files of nested folders by their paths; what is empty is not there."""
    found: dict[str, bytes] = {}
    for name, content in folder.items():
        if isinstance(content, bytes):
            found[prefix + name] = content
        else:
            found |= flat(content, f"{prefix}{name}/")
    return found


trees = folders.map(flat)


def write(folder: Path, files: Mapping[str, bytes]) -> None:
    for path, content in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)


def files_in(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and not path.is_symlink()
    }


def everything_in(folder: Path) -> dict[str, tuple[int, bytes | str]]:
    """Return modes and contents of whatever there is."""
    found: dict[str, tuple[int, bytes | str]] = {}
    for path in folder.rglob("*"):
        info = path.lstat()
        content: bytes | str = ""
        if stat.S_ISREG(info.st_mode):
            content = path.read_bytes()
        elif stat.S_ISLNK(info.st_mode):
            content = str(path.readlink())
        found[str(path.relative_to(folder))] = info.st_mode, content
    return found


def settle(folder: Path, *changes: FileChange) -> Outcome:
    with Workspace(folder) as opened:
        opened.read(16)
        return opened.settle(Outcome(Status.OK, changes=changes))


@pytest.fixture
def inside(tmp_path) -> Iterator[WorkerFiles]:
    """The worker's side of a workspace, in directories of the test's."""
    for name in ("workspace", "scratch"):
        (tmp_path / name).mkdir()
    files = WorkerFiles(str(tmp_path / "workspace"), [str(tmp_path / "scratch")], 1 << 20)
    yield files
    files.close()


def answer(files: WorkerFiles) -> bytes:
    changes = files.changes()
    return changes.index + b"".join(files.read(changes))


class TestLaws:
    @settings(deadline=None, max_examples=60)
    @given(files=trees)
    def test_laying_out_and_collecting_changes_nothing(self, files) -> None:
        with tempfile.TemporaryDirectory() as name, tempfile.TemporaryDirectory() as host:
            write(Path(host), files)
            with Workspace(Path(host)) as opened:
                parcel = opened.read(1)
            assert parcel.paths == files.keys()
            worker = WorkerFiles(name, [], 1 << 20)
            worker.lay_out(memoryview(parcel.bundle))
            assert files_in(Path(name)) == files
            assert parcel.read_changes(answer(worker)) == ((), ())
            worker.empty()
            assert not list(Path(name).iterdir())
            worker.close()

    @settings(deadline=None, max_examples=100)
    @given(before=trees, after=trees)
    def test_carrying_out_what_changed_makes_the_one_of_the_other(self, before, after) -> None:
        with tempfile.TemporaryDirectory() as name, tempfile.TemporaryDirectory() as host:
            write(Path(host), before)
            worker = WorkerFiles(name, [], 1 << 20)
            with Workspace(Path(host)) as opened:
                parcel = opened.read(1)
                worker.empty()
                worker.lay_out(memoryview(parcel.bundle))
                laid_out = worker._laid_out.copy()
                worker.empty()
                worker._laid_out = laid_out
                write(Path(name), after)
                changes, left_out = parcel.read_changes(answer(worker))
                outcome = opened.settle(Outcome(Status.OK, changes=changes))
            worker.close()
            assert left_out == outcome.left_out == ()
            assert files_in(Path(host)) == after
            assert {change.path for change in changes} == {
                path for path in before.keys() | after.keys() if before.get(path) != after.get(path)
            }
            assert not list(Path(host).glob(f"{STAGING}*"))


class TestReading:
    def test_what_is_no_plain_file_is_not_shown(self, tmp_path) -> None:
        write(tmp_path, {"plain": b"x", "folder/plain": b"y"})
        (tmp_path / "link").symlink_to("plain")
        (tmp_path / "folder-link").symlink_to("folder")
        (tmp_path / "new\nline").write_text("x")
        (tmp_path / os.fsdecode(b"\xff")).write_text("x")
        os.mkfifo(tmp_path / "fifo")
        os.link(tmp_path / "plain", tmp_path / "hard")
        with Workspace(tmp_path) as opened:
            assert opened.read(1).paths == {"plain", "hard", "folder/plain"}

    def test_one_with_too_many_files_is_refused(self, tmp_path) -> None:
        for number in range(MAX_ENTRIES + 1):
            (tmp_path / str(number)).touch()
        with (
            Workspace(tmp_path) as opened,
            pytest.raises(SandboxUnavailableError, match=r"more than 10000 files and folders"),
        ):
            opened.read(16)

    def test_small_files_count_as_the_room_that_they_take(self, tmp_path) -> None:
        for number in range(300):
            (tmp_path / str(number)).write_text("x")
        with Workspace(tmp_path) as opened:
            assert len(opened.read(2).paths) == 300
            with pytest.raises(SandboxUnavailableError, match="300 files with 300 bytes"):
                opened.read(1)

    def test_one_that_is_gone_is_unavailable(self, tmp_path) -> None:
        with pytest.raises(SandboxUnavailableError, match="cannot be opened"):
            Workspace(tmp_path / "gone")

    def test_what_others_lock_for_long_is_unavailable(self, tmp_path, monkeypatch) -> None:
        monkeypatch.setattr(workspace, "_LOCK_S", 0.05)
        other = os.open(tmp_path, os.O_RDONLY)
        fcntl.flock(other, fcntl.LOCK_EX)
        with Workspace(tmp_path) as opened:
            with pytest.raises(SandboxUnavailableError, match="locked"):
                opened.read(1)
            os.close(other)
            assert opened.read(1).paths == frozenset()


BEFORE = {"a": b"a", "b": b"b", "folder/c": b"c", "folder/deep/d": b"d", "other": b"other"}
CHANGES = (
    FileChange("a", b"new a"),
    FileChange("b", None),
    FileChange("folder", b"now a file"),
    FileChange("folder/c", None),
    FileChange("folder/deep/d", None),
    FileChange("new/folders/file", b"new"),
    FileChange("other", None),
    FileChange("other/inner", b"inner"),
)
AFTER = {
    "a": b"new a",
    "folder": b"now a file",
    "new/folders/file": b"new",
    "other/inner": b"inner",
}


@pytest.fixture
def caller(tmp_path) -> Path:
    made = tmp_path / "caller"
    made.mkdir()
    write(made, BEFORE)
    (made / "a").chmod(0o604)
    (made / "folder" / "deep").chmod(0o711)
    return made


class Failing:
    """The module `os`, of whose changes one does not work, or one and all that follow."""

    STEPS = ("rename", "mkdir", "rmdir", "chmod", "open")

    def __init__(self, step: int, *, for_good: bool = False) -> None:
        self.step, self.for_good = step, for_good
        self.failed = False

    def __getattr__(self, name: str) -> Any:
        real = getattr(os, name)
        if name not in self.STEPS:
            return real

        def maybe(*arguments: Any, **options: Any) -> Any:
            self.step -= 1
            if self.step == 0 or (self.failed and self.for_good and name != "open"):
                self.failed = True
                raise OSError(errno.ENOSPC, "No space left on device")
            return real(*arguments, **options)

        return maybe


class TestCarryingOut:
    def test_all_of_it_is_done(self, caller) -> None:
        outcome = settle(caller, *CHANGES)
        assert outcome.changes == CHANGES
        assert files_in(caller) == AFTER
        assert (caller / "a").stat().st_mode & 0o777 == 0o604

    def test_a_failure_at_any_step_leaves_all_as_it_was(self, caller, monkeypatch) -> None:
        before = everything_in(caller)
        for step in range(1, 1000):
            monkeypatch.setattr(carry_out, "os", Failing(step))
            try:
                settle(caller, *CHANGES)
            except SandboxUnavailableError as error:
                assert "No space left" in str(error)
                assert everything_in(caller) == before, step
            else:
                break
        assert step > 20
        assert files_in(caller) == AFTER

    def test_what_cannot_be_put_back_is_kept_and_named(self, caller, monkeypatch) -> None:
        contents = set(BEFORE.values())
        for step in range(1, 1000):
            monkeypatch.setattr(carry_out, "os", Failing(step, for_good=True))
            try:
                settle(caller, *CHANGES)
            except SandboxUnavailableError as error:
                named = f"are in {STAGING}" in str(error)
                monkeypatch.undo()
                kept = set(files_in(caller).values())
                assert contents <= kept, step
                assert named or everything_in(caller).keys() >= BEFORE.keys(), step
                for path in sorted(caller.rglob("*"), reverse=True):
                    path.rmdir() if path.is_dir() else path.unlink()
                write(caller, BEFORE)
            else:
                break
        assert step > 20

    @pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount")
    def test_a_full_disk_leaves_all_as_it_was(self, tmp_path) -> None:
        small = tmp_path / "small"
        small.mkdir()
        kernel.mount("tmpfs", str(small), "tmpfs", 0, "size=64k")
        try:
            write(small, BEFORE)
            before = everything_in(small)
            for size in (40_000, 200_000):
                changes = [FileChange("a", b"x"), FileChange("b", None)]
                changes += [FileChange(f"new{n}", bytes(size)) for n in range(3)]
                with pytest.raises(SandboxUnavailableError, match="No space left on device"):
                    settle(small, *changes)
                assert everything_in(small) == before
            settle(small, FileChange("fits", b"x"))
            assert (small / "fits").exists()
        finally:
            kernel.unmount_lazily(str(small))

    def test_an_interrupt_does_not_leave_half_of_it(self, caller, monkeypatch) -> None:
        real = workspace.carry_out
        main = threading.main_thread().ident
        assert main

        def interrupted(root: int, changes: Any) -> None:
            signal.pthread_kill(main, signal.SIGINT)
            threading.Event().wait(0.2)
            real(root, changes)

        monkeypatch.setattr(workspace, "carry_out", interrupted)
        with pytest.raises(KeyboardInterrupt):
            settle(caller, *CHANGES)
        assert files_in(caller) == AFTER

    def test_an_interrupt_before_it_begins_does_nothing(self, caller, monkeypatch) -> None:
        class Interrupted(threading.Thread):
            def start(self) -> None:
                super().start()
                raise KeyboardInterrupt

        before, descriptors = everything_in(caller), len([*Path("/proc/self/fd").iterdir()])
        with monkeypatch.context() as patch:
            patch.setattr(workspace.threading, "Thread", Interrupted)
            with pytest.raises(KeyboardInterrupt):
                settle(caller, *CHANGES)
        assert everything_in(caller) == before
        assert len([*Path("/proc/self/fd").iterdir()]) == descriptors

    def test_runs_at_once_do_not_mix(self, caller) -> None:
        def work(number: int) -> None:
            content = str(number).encode() * 1000
            settle(caller, *(FileChange(f"file{n}", content) for n in range(20)))

        with ThreadPoolExecutor(4) as threads:
            list(threads.map(work, range(12)))
        assert len({(caller / f"file{n}").read_bytes() for n in range(20)}) == 1

    def test_a_file_that_is_gone_by_then_is_made_or_is_gone(self, caller) -> None:
        with Workspace(caller) as opened:
            opened.read(1)
            (caller / "a").unlink()
            (caller / "b").unlink()
            opened.settle(
                Outcome(Status.OK, changes=(FileChange("a", b"x"), FileChange("b", None)))
            )
        expected = {**BEFORE, "a": b"x"}
        del expected["b"]
        assert files_in(caller) == expected

    @pytest.mark.parametrize(
        ("planted", "path"),
        [("a", "a"), ("folder", "folder/c"), ("folder", "folder/new"), ("new", "new/file")],
    )
    @pytest.mark.parametrize("removed", [False, True])
    def test_a_link_planted_during_the_run_is_not_followed(
        self, caller, tmp_path, planted, path, removed
    ) -> None:
        outside = tmp_path / "outside"
        write(outside, {"c": b"victim", "a": b"victim"})
        with Workspace(caller) as opened:
            opened.read(1)
            if (caller / planted).is_dir():
                (caller / planted).rename(tmp_path / "moved")
            else:
                (caller / planted).unlink(missing_ok=True)
            (caller / planted).symlink_to(outside / "a" if planted == "a" else outside)
            before = everything_in(caller)
            changes = (FileChange("b", b"harmless"), FileChange(path, None if removed else b"x"))
            outcome = Outcome(Status.OK, changes=changes)
            with pytest.raises(SandboxUnavailableError, match="cannot be carried out"):
                opened.settle(outcome)
        assert everything_in(caller) == before
        assert files_in(outside) == {"c": b"victim", "a": b"victim"}

    def test_links_that_were_there_are_left_out_and_the_rest_is_done(self, caller) -> None:
        (caller / "link").symlink_to("/etc/passwd")
        outcome = settle(caller, FileChange("a", b"x"), FileChange("link", b"hostile"))
        assert outcome.changes == (FileChange("a", b"x"),)
        assert outcome.left_out == ("link: link is there, not shown (a symbolic link)",)
        assert (caller / "link").is_symlink()

    def test_what_an_earlier_failure_left_is_neither_shown_nor_touched(self, caller) -> None:
        old = caller / f"{STAGING}0123" / "0.old"
        write(caller, {f"{STAGING}0123/0.old": b"precious"})
        with Workspace(caller) as opened:
            assert opened.read(1).paths == BEFORE.keys()
            path = f"{STAGING}0123/0.old"
            outcome = opened.settle(Outcome(Status.OK, changes=(FileChange(path, b"x"),)))
        assert outcome.changes == ()
        assert old.read_bytes() == b"precious"

    def test_the_directory_is_the_one_that_was_opened(self, caller, tmp_path) -> None:
        with Workspace(caller) as opened:
            opened.read(1)
            caller.rename(tmp_path / "moved")
            write(caller, {"a": b"another"})
            opened.settle(Outcome(Status.OK, changes=(FileChange("a", b"x"),)))
        assert (tmp_path / "moved" / "a").read_bytes() == b"x"
        assert (caller / "a").read_bytes() == b"another"


def test_a_parcel_holds_what_it_was_made_of() -> None:
    parcel = Parcel.of(["b"], {"a": b"1", "b/c": b"22"}, 10)
    assert parcel.bundle.endswith(b"122")
    assert parcel.paths == {"a", "b/c"}
