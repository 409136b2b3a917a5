"""Files that programs may read, and a workspace that they may write to, in both backends."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from toolguild.policies import Capability, Tier
from toolguild.sandbox import (
    Access,
    FileChange,
    Limits,
    Mount,
    Outcome,
    Program,
    SandboxUnavailableError,
    Status,
    open_sandbox,
)
from toolguild.sandbox.access import NOTHING

READ, WRITE = {Capability.READ}, {Capability.WRITE}
BOTH = READ | WRITE
MEGABYTE = 1 << 20


def contents(folder: Path) -> dict[str, bytes]:
    """Return every regular file below a folder."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and not path.is_symlink()
    }


@pytest.fixture
def data(folder) -> Access:
    """Two folders side by side, of which one is to be read."""
    (folder / "shown" / "deep").mkdir(parents=True)
    (folder / "shown" / "note.txt").write_text("hello")
    (folder / "shown" / "deep" / "bytes").write_bytes(bytes(range(256)))
    (folder / "sibling").mkdir()
    (folder / "sibling" / "secret").write_text("SECRET")
    return Access(mounts=(Mount(folder / "shown", "/data"),))


class TestReading:
    def test_what_is_mounted_is_read(self, run, data) -> None:
        source = """
        import os
        def tool():
            with open("/data/deep/bytes", "rb") as file:
                exact = file.read() == bytes(range(256))
            return [open("/data/note.txt").read(), exact, sorted(os.listdir("/data")), os.getcwd()]
        """
        assert run(source, needs=READ, access=data).value == [
            "hello",
            True,
            ["deep", "note.txt"],
            "/",
        ]

    def test_changes_of_the_callers_own_are_seen_by_the_next_run(self, run, data, folder) -> None:
        source = 'def tool(): return open("/data/note.txt").read()'
        assert run(source, needs=READ, access=data).value == "hello"
        (folder / "shown" / "note.txt").write_text("changed")
        assert run(source, needs=READ, access=data).value == "changed"

    def test_nothing_in_it_can_be_changed(self, run, data, folder) -> None:
        before = contents(folder)
        source = """
        import os
        def tool():
            refused = 0
            for change in (
                lambda: open("/data/note.txt", "w"),
                lambda: open("/data/note.txt", "r+"),
                lambda: open("/data/new", "w"),
                lambda: os.mkdir("/data/folder"),
                lambda: os.unlink("/data/note.txt"),
                lambda: os.rename("/data/note.txt", "/data/moved"),
                lambda: os.symlink("/etc/passwd", "/data/link"),
                lambda: os.link("/data/note.txt", "/data/hard"),
                lambda: os.chmod("/data/note.txt", 0o777),
                lambda: os.chmod("/data", 0o777),
                lambda: os.truncate("/data/note.txt", 0),
                lambda: os.utime("/data/note.txt"),
                lambda: os.mkfifo("/data/fifo"),
                lambda: os.rmdir("/data/deep"),
            ):
                try: change()
                except OSError: refused += 1
            return refused
        """
        assert run(source, needs=BOTH, access=data).value == 14
        assert contents(folder) == before

    @pytest.mark.parametrize(
        "path",
        [
            "/data/../sibling/secret",
            "/data/deep/../../sibling/secret",
            "/sibling/secret",
            "/data/relative",
            "/data/absolute",
            "/data/folder/secret",
            "{host}/sibling/secret",
            "{host}/shown/note.txt",
        ],
    )
    def test_nothing_beside_it_can_be_read(self, run, data, folder, path) -> None:
        (folder / "shown" / "relative").symlink_to("../sibling/secret")
        (folder / "shown" / "absolute").symlink_to(folder / "sibling" / "secret")
        (folder / "shown" / "folder").symlink_to(folder / "sibling")
        source = f"def tool(): return open({path.format(host=folder)!r}).read()"
        outcome = run(source, needs=READ, access=data)
        assert outcome.status is Status.ERROR
        assert outcome.error.split(":")[0] in ("FileNotFoundError", "PermissionError")

    def test_a_link_to_the_systems_own_files_leads_to_the_sandboxs(self, run, data, folder) -> None:
        (folder / "shown" / "passwd").symlink_to("/etc/passwd")
        outcome = run('def tool(): return open("/data/passwd").read()', needs=READ, access=data)
        assert outcome.value is None or outcome.value != Path("/etc/passwd").read_text()

    def test_nothing_in_it_can_be_started(self, run, data, folder) -> None:
        (folder / "shown" / "run").write_text("#!/bin/sh\n")
        (folder / "shown" / "run").chmod(0o755)
        source = """
        import os
        def tool(): os.execv("/data/run", ["run"])
        """
        assert run(source, needs=READ, access=data).error.startswith("PermissionError")

    @pytest.mark.parametrize(
        ("needs", "given"), [((), True), (READ, False), ({Capability.NETWORK}, True)]
    )
    def test_who_needs_nothing_or_is_given_nothing_sees_nothing(
        self, run, data, folder, needs, given
    ) -> None:
        access = Access(data.mounts if given else (), folder if given else None)
        source = """
        import os
        def tool():
            seen = [path for path in ("/data", "/workspace", "/tmp") if os.path.exists(path)]
            written = []
            for path in ("/tmp/x", "/workspace/x", "x"):
                try: written.append(open(path, "w"))
                except OSError: pass
            return seen, written, os.getcwd()
        """
        for tier in Tier:
            outcome = run(source, needs=needs, access=access, tier=tier)
            seen, written, folder_ = outcome.value
            assert (written, folder_) == ([], "/"), tier
            # gVisor has a folder there, to which nobody can write.
            assert set(seen) <= {"/tmp"}, tier

    def test_a_workspace_is_read_in_its_place_by_those_that_only_read(self, run, data) -> None:
        access = Access(workspace=data.mounts[0].source)
        source = """
        import os
        def tool():
            try: open("note.txt", "a")
            except OSError as error: refused = type(error).__name__
            return [os.getcwd(), open("note.txt").read(), refused]
        """
        outcome = run(source, needs=READ, access=access, tier=Tier.FULL)
        assert outcome.value[:2] == ["/workspace", "hello"]
        assert outcome.value[2] in ("OSError", "PermissionError")

    @pytest.mark.skipif(os.geteuid() != 0, reason="another's mode matters to root's programs only")
    def test_what_the_programs_cannot_enter_is_the_callers_to_open(self, run, data) -> None:
        source = 'def tool(): return open("/data/note.txt").read()'
        data.mounts[0].source.chmod(0o700)
        with pytest.raises(SandboxUnavailableError, match=r"drwx------ .*chmod -R o\+rX"):
            run(source, needs=READ, access=data)
        data.mounts[0].source.chmod(0o755)
        assert run(source, needs=READ, access=data).value == "hello"

    def test_what_is_gone_by_then_is_unavailable(self, run, folder) -> None:
        (folder / "gone").mkdir()
        access = Access(mounts=(Mount(folder / "gone", "/data-gone"),))
        (folder / "gone").rmdir()
        with pytest.raises(SandboxUnavailableError, match=r"cannot show .*gone"):
            run("def tool(): return 1", needs=READ, access=access)

    def test_several_folders_are_seen_side_by_side(self, run, folder) -> None:
        mounts = []
        for name in ("a", "b", "c"):
            (folder / name).mkdir()
            (folder / name / "name").write_text(name)
            mounts.append(Mount(folder / name, f"/in/{name}"))
        source = 'def tool(): return [open(f"/in/{name}/name").read() for name in "abc"]'
        assert run(source, needs=READ, access=Access(tuple(mounts))).value == ["a", "b", "c"]


EDIT = """
import os
def tool():
    with open("new.bin", "wb") as file: file.write(bytes(range(256)) * 10)
    with open("changed.txt", "a") as file: file.write(" world")
    os.remove("removed.txt")
    os.makedirs("made/of/folders")
    open("made/of/folders/\\N{SNOWMAN} file", "w").write("deep")
    os.rename("folder/inner", "moved")
    open("/tmp/scratch", "w").write("nobody sees it")
    return sorted(os.listdir("."))
"""
BEFORE = {
    "changed.txt": b"hello",
    "removed.txt": b"x",
    "kept.bin": bytes(1000),
    "folder/inner": b"inner",
}
AFTER = {
    "changed.txt": b"hello world",
    "kept.bin": bytes(1000),
    "new.bin": bytes(range(256)) * 10,
    "made/of/folders/\N{SNOWMAN} file": b"deep",
    "moved": b"inner",
}
CHANGES = (
    FileChange("changed.txt", b"hello world"),
    FileChange("folder/inner", None),
    FileChange("made/of/folders/\N{SNOWMAN} file", b"deep"),
    FileChange("moved", b"inner"),
    FileChange("new.bin", bytes(range(256)) * 10),
    FileChange("removed.txt", None),
)


@pytest.fixture
def workspace(tmp_path) -> Path:
    """A caller's workspace, private as it may be."""
    made = tmp_path / "workspace"
    for path, content in BEFORE.items():
        (made / path).parent.mkdir(parents=True, exist_ok=True)
        (made / path).write_bytes(content)
    (made / "folder" / "empty").mkdir()
    made.chmod(0o700)
    return made


class TestWriting:
    @pytest.mark.parametrize("tier", [Tier.RESTRICTED, Tier.FULL])
    def test_changes_are_carried_out_where_the_tier_allows_it(self, run, workspace, tier) -> None:
        outcome = run(EDIT, needs=WRITE, access=Access(workspace=workspace), tier=tier)
        assert outcome.ok, outcome
        assert (outcome.changes, outcome.left_out) == (CHANGES, ())
        assert outcome.effects >= WRITE
        assert contents(workspace) == AFTER
        for path in workspace.rglob("*"):
            assert (path.stat().st_uid, path.stat().st_gid) == (os.geteuid(), os.getegid())

    def test_changes_are_reported_and_discarded_in_the_tier_sandbox(self, run, workspace) -> None:
        outcome = run(EDIT, needs=WRITE, access=Access(workspace=workspace), tier=Tier.SANDBOX)
        assert outcome.ok, outcome
        assert outcome.changes == CHANGES
        assert outcome.effects >= WRITE
        assert contents(workspace) == BEFORE

    @pytest.mark.parametrize(
        ("ending", "status"),
        [
            ("raise ValueError", Status.ERROR),
            ("import os; os._exit(0)", Status.KILLED),
            ("while True: pass", Status.TIMEOUT),
            ("return 'x' * 2_000_000", Status.OUTPUT_LIMIT),
            ("return object()", Status.ERROR),
        ],
    )
    def test_changes_of_a_run_that_fails_are_reported_and_discarded(
        self, run, workspace, ending, status
    ) -> None:
        source = f"def tool():\n    open('new', 'w').write('x')\n    {ending}"
        outcome = run(
            source,
            needs=WRITE,
            access=Access(workspace=workspace),
            tier=Tier.RESTRICTED,
            limits=Limits(wall_s=1),
        )
        assert outcome.status is status
        assert outcome.changes == (FileChange("new", b"x"),)
        assert outcome.effects >= WRITE
        assert contents(workspace) == BEFORE

    def test_what_is_as_it_was_is_no_change(self, run, workspace) -> None:
        source = """
        import os, pathlib
        def tool():
            for path in pathlib.Path(".").rglob("*"):
                os.utime(path, (0, 0))
            text = open("changed.txt").read()
            open("changed.txt", "w").write(text)
            os.rename("kept.bin", "/workspace/folder/x")
            os.rename("folder/x", "kept.bin")
            os.mkdir("empty-folder")
            open("/tmp/x", "w").write("x")
            return text
        """
        outcome = run(source, needs=WRITE, access=Access(workspace=workspace), tier=Tier.RESTRICTED)
        assert outcome.value == "hello"
        assert (outcome.changes, outcome.left_out) == ((), ())
        assert contents(workspace) == BEFORE
        assert not (workspace / "empty-folder").exists()

    def test_a_program_that_does_nothing_has_no_effect(self, run, workspace) -> None:
        access = Access(workspace=workspace)
        for tier in Tier:
            outcome = run("def tool(): return 1", needs=WRITE, access=access, tier=tier)
            assert (outcome.value, outcome.effects) == (1, frozenset())

    def test_a_workspace_is_there_even_if_the_caller_gives_none(self, run) -> None:
        source = """
        import os, tempfile
        def tool():
            with tempfile.NamedTemporaryFile("w+") as file:
                place = os.path.dirname(file.name)
            open("made", "w").write("x")
            return os.getcwd(), place, os.listdir(".")
        """
        for tier in Tier:
            outcome = run(source, needs=WRITE, tier=tier)
            assert outcome.value == ["/workspace", "/tmp", ["made"]]
            assert outcome.changes == (FileChange("made", b"x"),)

    def test_reading_and_writing_go_together(self, run, data, workspace) -> None:
        source = """
        import shutil
        def tool(): return shutil.copyfile("/data/note.txt", "copied")
        """
        access = Access(data.mounts, workspace)
        assert run(source, needs=BOTH, access=access, tier=Tier.RESTRICTED).ok
        assert (workspace / "copied").read_text() == "hello"

    def test_the_next_program_finds_everything_empty(self, run) -> None:
        fill = """
        import os
        def tool():
            for place in ("/workspace", "/tmp"):
                os.makedirs(f"{place}/a/b/c")
                open(f"{place}/a/b/file", "w").write("x" * 1000)
                os.chmod(f"{place}/a/b", 0)
                os.symlink("/etc", f"{place}/link")
                os.utime(place, (1, 1))
                os.chmod(place, 0)
        """
        look = """
        import os
        def tool():
            found = []
            for place in ("/workspace", "/tmp"):
                info, room = os.stat(place), os.statvfs(place)
                found += [os.listdir(place), oct(info.st_mode), info.st_mtime,
                          room.f_blocks - room.f_bfree]
            return found
        """
        empty = run(look, needs=WRITE)
        assert empty.value[0] == empty.value[4] == []
        for _ in range(3):
            assert run(fill, needs=WRITE).ok
            assert run(look, needs=WRITE).value == empty.value

    def test_modes_are_the_callers(self, run, workspace) -> None:
        (workspace / "changed.txt").chmod(0o640)
        umask = os.umask(0o027)
        try:
            source = """
            import os
            def tool():
                os.umask(0)
                for name in ("changed.txt", "new"):
                    open(name, "w").write("x")
                    os.chmod(name, 0o4777)
            """
            access = Access(workspace=workspace)
            assert run(source, needs=WRITE, access=access, tier=Tier.RESTRICTED).ok
        finally:
            os.umask(umask)
        assert (workspace / "changed.txt").stat().st_mode & 0o7777 == 0o640
        assert (workspace / "new").stat().st_mode & 0o7777 == 0o640

    def test_a_file_may_take_the_place_of_a_folder_and_the_other_way_round(
        self, run, workspace
    ) -> None:
        source = """
        import os, shutil
        def tool():
            shutil.rmtree("folder")
            open("folder", "w").write("now a file")
            os.remove("kept.bin")
            os.mkdir("kept.bin")
            open("kept.bin/inner", "w").write("now a folder")
        """
        access = Access(workspace=workspace)
        assert run(source, needs=WRITE, access=access, tier=Tier.RESTRICTED).ok
        assert contents(workspace) == {
            "changed.txt": b"hello",
            "removed.txt": b"x",
            "folder": b"now a file",
            "kept.bin/inner": b"now a folder",
        }

    def test_what_does_not_fit_is_an_error_that_the_program_can_handle(self, run) -> None:
        source = """
        import os
        def tool(place):
            written = 0
            try:
                with open(os.path.join(place, "big"), "wb", buffering=0) as file:
                    while True:
                        written += file.write(bytes(1 << 16))
            except OSError:
                os.remove(file.name)
                open(os.path.join(place, "small"), "w").write("fits")
                return written
        """
        for place in ("/workspace", "/tmp"):
            outcome = run(source, {"place": place}, needs=WRITE, limits=Limits(workspace_mb=2))
            assert outcome.value == 2 * MEGABYTE, outcome
            assert outcome.changes == (
                (FileChange("small", b"fits"),) if place == "/workspace" else ()
            )

    def test_a_full_workspace_comes_back_whole(self, run, workspace) -> None:
        source = """
        def tool():
            for n in range(7):
                with open(f"part{n}", "wb") as file: file.write(bytes([n]) * (1 << 20))
        """
        access = Access(workspace=workspace)
        limits = Limits(workspace_mb=8)
        assert run(source, needs=WRITE, access=access, tier=Tier.RESTRICTED, limits=limits).ok
        for n in range(7):
            assert (workspace / f"part{n}").read_bytes() == bytes([n]) * MEGABYTE

    def test_files_as_large_as_the_limit_are_at_hand(self, run, workspace) -> None:
        (workspace / "big").write_bytes(bytes(3 * MEGABYTE))
        source = "import os\ndef tool(): return os.path.getsize('big')"
        access = Access(workspace=workspace)
        for limits in (Limits(workspace_mb=4), Limits(workspace_mb=4, memory_mb=32)):
            assert run(source, needs=WRITE, access=access, limits=limits).value == 3 * MEGABYTE

    def test_files_beyond_the_limit_are_refused_with_how_much_there_is(
        self, run, workspace
    ) -> None:
        (workspace / "big").write_bytes(bytes(3 * MEGABYTE))
        with pytest.raises(
            SandboxUnavailableError,
            match=r"5 files with 3146739 bytes, which take 3\.0 MiB, .*workspace_mb` is 2",
        ):
            run(
                "def tool(): return 1",
                needs=WRITE,
                access=Access(workspace=workspace),
                limits=Limits(workspace_mb=2),
            )

    def test_memory_is_still_what_the_program_may_use(self, run) -> None:
        source = """
        def tool():
            for place in ("/workspace", "/tmp"):
                with open(f"{place}/full", "wb") as file: file.write(bytes(15 << 20))
            return len(bytearray(50 << 20))
        """
        limits = Limits(memory_mb=80, workspace_mb=16)
        assert run(source, needs=WRITE, limits=limits).value == 50 << 20

    @pytest.mark.parametrize("workspace_mb", [0, -1, 1025])
    def test_a_workspace_of_no_size_is_the_callers_error(self, run, workspace_mb) -> None:
        with pytest.raises(ValueError, match="workspace"):
            run("def tool(): return 1", limits=Limits(workspace_mb=workspace_mb))


class TestSideBySide:
    """Programs of different settings share one pool."""

    @staticmethod
    def jobs(sandbox, folder: Path) -> list[Callable[[], bool]]:
        (folder / "note").write_text("hello")
        mount = Access(mounts=(Mount(folder, "/data"),))
        plain = Program("def tool(): return 1", "tool")
        reads = Program(
            "def tool(): return open('/data/note').read()",
            "tool",
            walled=False,
            needs=frozenset(READ),
        )
        writes = Program(
            "import os\ndef tool():\n    before = os.listdir('.')\n"
            "    open('made', 'w').write('x')\n    return before",
            "tool",
            walled=False,
            needs=frozenset(WRITE),
        )

        def call(program: Program, access: Access = NOTHING) -> Outcome:
            return sandbox.run(program, {}, tier=Tier.SANDBOX, access=access)

        return [
            lambda: call(plain).value == 1,
            lambda: call(reads, mount).value == "hello",
            lambda: call(writes).changes == (FileChange("made", b"x"),),
            lambda: call(writes).value == [],
        ]

    def test_several_threads_with_different_settings_at_once(self, kind, folder) -> None:
        with open_sandbox(kind, size=2) as sandbox:
            jobs = self.jobs(sandbox, folder)
            with ThreadPoolExecutor(6) as threads:
                assert all(threads.map(lambda n: jobs[n % len(jobs)](), range(60)))

    def test_workers_of_each_setting_stay_where_there_is_room(self, kind, folder) -> None:
        with open_sandbox(kind, size=3) as sandbox:
            jobs = self.jobs(sandbox, folder)
            for job in jobs * 2:
                assert job()
            before = set(sandbox._places.idle)
            assert len(before) == 3
            for job in jobs * 5:
                assert job()
            assert set(sandbox._places.idle) == before

    def test_a_small_pool_does_not_start_workers_all_the_time(self, folder) -> None:
        started = []
        with open_sandbox("local", size=2) as sandbox:
            start = sandbox._start

            def counted(limits, setting, seat):
                started.append(setting)
                return start(limits, setting, seat)

            sandbox._start = counted
            jobs = self.jobs(sandbox, folder)[1:3]
            barrier = threading.Barrier(4)

            def work(number: int) -> bool:
                barrier.wait(20)
                return all(jobs[number % 2]() for _ in range(40))

            with ThreadPoolExecutor(4) as threads:
                assert all(threads.map(work, range(4)))
        # Two at first, and one for each time that a thread has let enough others go ahead.
        assert len(started) <= 2 + 160 // 20
