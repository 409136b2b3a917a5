"""What hostile programs do with a workspace: nothing of it reaches the host or the next program."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from toolguild.policies import Capability, Tier
from toolguild.sandbox import Access, FileChange, Limits, Outcome, Status
from toolguild.sandbox.files.tree import MAX_DEPTH, MAX_ENTRIES

WRITE = {Capability.WRITE}
SMALL = Limits(wall_s=20, workspace_mb=4)


@pytest.fixture
def workspace(tmp_path) -> Path:
    made = tmp_path / "workspace"
    made.mkdir()
    (made / "own").write_text("mine")
    return made


@pytest.fixture
def attack(run, workspace):
    """Run a program that may write, and look whether the next one finds everything empty."""

    def attack(source: str, limits: Limits = SMALL) -> Outcome:
        outcome = run(
            source,
            needs=WRITE,
            access=Access(workspace=workspace),
            tier=Tier.RESTRICTED,
            limits=limits,
        )
        look = """
        import os
        def tool():
            return [[*os.walk(place)] for place in ("/workspace", "/tmp")], os.statvfs(".").f_ffree
        """
        found, _ = run(look, needs=WRITE, limits=limits).value
        assert found == [[["/workspace", [], []]], [["/tmp", [], []]]]
        return outcome

    return attack


class TestWhatCannotComeBack:
    @pytest.mark.parametrize(
        "target", ["/etc/passwd", "own", "../outside", ".", "/proc/self/environ", "missing", "/"]
    )
    def test_a_symbolic_link(self, attack, workspace, target) -> None:
        outcome = attack(f"import os\ndef tool(): os.symlink({target!r}, 'link')")
        assert outcome.ok, outcome
        assert (outcome.changes, outcome.left_out) == ((), ("link: a symbolic link",))
        assert outcome.effects >= WRITE
        assert [path.name for path in workspace.iterdir()] == ["own"]

    def test_a_file_that_became_a_link_stays_as_it_was(self, attack, workspace) -> None:
        outcome = attack(
            "import os\ndef tool():\n    os.remove('own')\n    os.symlink('/etc/passwd', 'own')"
        )
        assert (outcome.changes, outcome.left_out) == ((), ("own: a symbolic link",))
        assert (workspace / "own").read_text() == "mine"

    def test_a_hard_link(self, attack, workspace) -> None:
        outcome = attack(
            "import os\ndef tool():\n    open('a', 'w').write('x')\n    os.link('a', 'b')\n"
            "    os.link('own', 'own-too')"
        )
        assert outcome.changes == ()
        assert outcome.left_out == tuple(
            f"{name}: a hard link" for name in ("a", "b", "own", "own-too")
        )
        assert [path.name for path in workspace.iterdir()] == ["own"]

    def test_devices_pipes_and_sockets_cannot_even_be_made(self, attack) -> None:
        outcome = attack("""
        import os, socket
        def tool():
            refused = 0
            for place in (".", "/tmp"):
                for make in (
                    lambda: os.mkfifo(f"{place}/fifo"),
                    lambda: os.mknod(f"{place}/socket", 0o140600),
                    lambda: os.mknod(f"{place}/device", 0o020600, os.makedev(1, 3)),
                    lambda: os.mknod(f"{place}/disk", 0o060600, os.makedev(8, 0)),
                    lambda: socket.socketpair()[0].bind(f"{place}/bound"),
                ):
                    try: make()
                    except OSError: refused += 1
            return refused
        """)
        assert outcome.value == 10
        assert (outcome.changes, outcome.left_out) == ((), ())

    @pytest.mark.parametrize(
        ("name", "why"),
        [
            (b"new\nline", r"new\x0aline: its name holds control characters"),
            (b"\x1b[31mred", r"\x1b[31mred: its name holds control characters"),
            ("\x85".encode(), r"\x85: its name holds control characters"),
            (b"not \xff utf-8", r"not \udcff utf-8: its name is not UTF-8"),
        ],
    )
    def test_names_that_are_no_plain_text(self, attack, workspace, name, why) -> None:
        for make in ("open(name, 'w')", "os.mkdir(name)"):
            outcome = attack(f"import os\ndef tool():\n    name = {name!r}\n    {make}")
            assert (outcome.changes, outcome.left_out) == ((), (why,))
        assert [path.name for path in workspace.iterdir()] == ["own"]

    @pytest.mark.parametrize(
        "name",
        ["x" * 255, "\N{SNOWMAN}" * 85, " ", "-rf", "...", "a\\b", "\u202egnp.exe", "'\"$(x)"],
    )
    def test_other_names_come_back_as_they_are(self, attack, workspace, name) -> None:
        outcome = attack(f"def tool(): open({name!r}, 'w').write('x')")
        assert outcome.changes == (FileChange(name, b"x"),), outcome
        assert (workspace / name).read_text() == "x"

    def test_a_tree_too_deep_to_name(self, attack) -> None:
        outcome = attack("""
        import os
        def tool():
            open("beside", "w").write("x")
            for _ in range(3000):
                os.mkdir("d")
                os.chdir("d")
            open("bottom", "w").write("x")
            os.chdir("/tmp")
            for _ in range(3000):
                os.mkdir("d")
                os.chdir("d")
        """)
        assert outcome.ok, outcome
        assert outcome.changes == (FileChange("beside", b"x"),)
        (line,) = outcome.left_out
        assert line == f"{'/'.join('d' * (MAX_DEPTH + 1))}: it lies deeper than {MAX_DEPTH} names"

    def test_many_things_that_cannot_come_back_are_told_in_short(self, attack) -> None:
        outcome = attack("""
        import os
        def tool():
            for n in range(3000):
                os.symlink("x", f"{'n' * 240}{n:04}")
        """)
        assert len(outcome.left_out) == 101
        assert outcome.left_out[-1] == "and 2900 more"
        assert max(map(len, outcome.left_out)) < 250


class TestTooMuch:
    def test_a_sparse_file_is_no_larger_than_the_limit(self, attack) -> None:
        outcome = attack("""
        import os
        def tool():
            errors = []
            for size in (1 << 40, (4 << 20) + 1):
                with open("sparse", "wb") as file:
                    try: os.truncate(file.fileno(), size)
                    except OSError as error: errors.append(error.errno)
                    file.seek(size)
                    try: os.write(file.fileno(), b"x")
                    except OSError as error: errors.append(error.errno)
            return errors
        """)
        assert len(outcome.value) == 4, outcome
        assert outcome.changes == (FileChange("sparse", b""),)

    def test_sparse_files_that_are_too_much_together_do_not_come_back(
        self, attack, workspace
    ) -> None:
        outcome = attack("""
        import os
        def tool():
            for n in range(100):
                with open(f"sparse{n}", "wb") as file: os.truncate(file.fileno(), 4 << 20)
            return "done"
        """)
        assert outcome.status is Status.OUTPUT_LIMIT
        assert outcome.error == "Its files hold 419430400 bytes, of at most 4194304."
        assert (outcome.value, outcome.changes) == (None, ())
        assert outcome.effects >= WRITE
        assert [path.name for path in workspace.iterdir()] == ["own"]

    def test_a_hundred_thousand_tiny_files(self, attack, workspace) -> None:
        outcome = attack("""
        def tool():
            for n in range(100_000):
                try: open(f"f{n}", "w").write("x")
                except OSError: return n
        """)
        if not outcome.ok:  # gVisor bounds bytes, but no numbers of files
            assert outcome.left_out == (f"It left more than {MAX_ENTRIES} files and folders",)
            assert not outcome.changes
            return
        # The folder's own file is one of those that there may be.
        assert outcome.value == len(outcome.changes) == MAX_ENTRIES - 1
        assert len([*workspace.iterdir()]) == MAX_ENTRIES

    def test_names_that_are_too_much_together(self, attack) -> None:
        outcome = attack("""
        import os
        def tool():
            place = "/".join("d" * 240 for _ in range(3))
            os.makedirs(place)
            for n in range(9000):
                os.close(os.open(f"{place}/{'n' * 240}{n:04}", os.O_CREAT))
        """)
        assert outcome.status is Status.OUTPUT_LIMIT, outcome
        assert outcome.error.startswith("The names of its files take")

    def test_a_floods_verdict_does_not_hide_an_earlier_one(self, attack) -> None:
        outcome = attack("""
        import os
        def tool():
            for n in range(100):
                with open(f"sparse{n}", "wb") as file: os.truncate(file.fileno(), 4 << 20)
            raise ValueError("mine")
        """)
        assert (outcome.status, outcome.error) == (Status.ERROR, "ValueError: mine")
        assert outcome.left_out == ("Its files hold 419430400 bytes, of at most 4194304",)


class TestRemnants:
    def test_what_still_writes_when_the_program_returns_is_ended(self, attack, workspace) -> None:
        outcome = attack("""
        import threading
        def tool():
            def write():
                n = 0
                while True:
                    n += 1
                    with open(f"/workspace/file{n % 50}", "wb") as file: file.write(bytes(1000))
                    with open(f"/tmp/file{n % 50}", "wb") as file: file.write(bytes(1000))
            for _ in range(4):
                threading.Thread(target=write, daemon=True).start()
            while not __import__("os").listdir("/tmp"): pass
            return "returned"
        """)
        assert outcome.value == "returned", outcome
        for change in outcome.changes:
            assert (workspace / change.path).read_bytes() == change.content

    @pytest.mark.parametrize(
        "body",
        [
            "os.rmdir('/workspace')",
            "os.rename('/workspace', '/elsewhere')",
            "os.rename('/workspace', '/tmp/elsewhere')",
            "os.symlink('/etc', '/workspace')",
            "os.link('own', '/tmp/own')",
            "os.mkdir('/beside')",
            "open('/beside', 'w')",
            "open('/usr/beside', 'w')",
            "os.chown('own', 0, 0)",
            "os.setxattr('own', 'user.x', b'1')",
            "os.execv('/workspace/script', ['script'])",
        ],
    )
    def test_nothing_else_can_be_done_than_writing_files(self, attack, body) -> None:
        outcome = attack(f"""
        import os
        def tool():
            with open("script", "w") as file: file.write("#!/bin/sh\\n")
            os.chmod("script", 0o777)
            try: {body}
            except OSError: return "refused"
        """)
        assert outcome.value == "refused", outcome

    def test_code_that_was_written_is_not_mapped(self, attack, sandbox) -> None:
        if "runsc" in sandbox.level:
            pytest.skip("gVisor maps code from anywhere, into its own kernel's processes only")
        outcome = attack("""
        import mmap
        def tool():
            with open("code", "w+b") as file:
                file.write(bytes(4096))
                file.flush()
                try: mmap.mmap(file.fileno(), 4096, prot=mmap.PROT_READ | mmap.PROT_EXEC)
                except OSError: return "refused"
        """)
        assert outcome.value == "refused", outcome

    def test_files_without_any_permission_come_back_and_go(self, attack, workspace) -> None:
        outcome = attack("""
        import os
        def tool():
            os.makedirs("closed/inner")
            open("closed/inner/file", "w").write("x")
            os.chmod("closed/inner/file", 0)
            os.chmod("closed/inner", 0)
            os.chmod("closed", 0)
            os.chmod("own", 0)
            os.chmod("/workspace", 0)
            os.chmod("/tmp", 0)
        """)
        assert outcome.changes == (FileChange("closed/inner/file", b"x"),), outcome
        assert (workspace / "closed" / "inner" / "file").read_text() == "x"


class TestTheCallersOwnLinks:
    """What is no plain file in a workspace is not shown, and nothing is written through it."""

    def test_nothing_is_written_through_them(self, attack, workspace, tmp_path) -> None:
        outside = tmp_path / "outside"
        outside.mkdir()
        (outside / "victim").write_text("untouched")
        (workspace / "file-link").symlink_to(outside / "victim")
        (workspace / "folder-link").symlink_to(outside)
        (workspace / "holds").mkdir()
        (workspace / "holds" / "link").symlink_to(outside)
        os.mkfifo(workspace / "fifo")
        outcome = attack("""
        import os
        def tool():
            shown = sorted(os.listdir(".")), os.listdir("holds")
            os.rmdir("holds")
            os.mkdir("folder-link")
            for path in ("file-link", "folder-link/victim", "folder-link/new", "fifo", "holds"):
                open(path, "w").write("hostile")
            open("ok", "w").write("hostile")
            return shown
        """)
        assert outcome.value == [["holds", "own"], []], outcome
        assert outcome.changes == (FileChange("ok", b"hostile"),)
        assert outcome.left_out == (
            "fifo: fifo is there, not shown (a named pipe)",
            "file-link: file-link is there, not shown (a symbolic link)",
            "folder-link/new: folder-link is there, not shown (a symbolic link)",
            "folder-link/victim: folder-link is there, not shown (a symbolic link)",
            "holds: a folder is there, with things in it that are not shown",
        )
        assert {path.name: path.read_text() for path in outside.iterdir()} == {
            "victim": "untouched"
        }
        assert (workspace / "file-link").is_symlink()
        assert (workspace / "folder-link").is_symlink()
        assert (workspace / "holds" / "link").is_symlink()
        assert (workspace / "ok").read_text() == "hostile"
