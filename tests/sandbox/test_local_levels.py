"""What the local backend does on machines that offer less, and how it names what it does."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import RestrictedPython

import toolguild
from toolguild.policies import Capability, Tier
from toolguild.sandbox import (
    Access,
    Limits,
    Mount,
    Program,
    SandboxUnavailableError,
    Status,
    interpreter,
    local,
)
from toolguild.sandbox.local import Isolation, LocalSandbox, available_isolation

FULL = ("userns", "landlock", "seccomp")
WITHOUT_NAMESPACES = Isolation(("landlock", "seccomp"))
NOTHING = Isolation((), {"landlock": "the kernel has none"})


def call(sandbox: LocalSandbox, source: str, **limits: float):
    program = Program(source, "tool", walled=False)
    return sandbox.run(program, {}, tier=Tier.SANDBOX, limits=Limits(**limits))


def test_this_machine_offers_every_layer() -> None:
    assert available_isolation() == Isolation(FULL)
    with LocalSandbox() as sandbox:
        assert sandbox.level == "userns+landlock+seccomp"


@pytest.fixture(scope="module")
def weaker():
    with LocalSandbox(size=1, isolation=WITHOUT_NAMESPACES) as sandbox:
        yield sandbox


class TestWithoutNamespaces:
    """As in most containers, where no namespaces can be made."""

    def test_the_level_says_so(self, weaker) -> None:
        assert weaker.level == "landlock+seccomp"

    def test_programs_run(self, weaker) -> None:
        assert call(weaker, "import sqlite3, asyncio\ndef tool(): return 1").value == 1

    def test_nothing_is_written_and_only_the_library_is_read(self, weaker, tmp_path) -> None:
        secret = tmp_path / "secret"
        secret.write_text("x")
        source = f"""
import os
def tool():
    reached = []
    for path in ({str(secret)!r}, "/etc/passwd", "/proc/self/status", "/etc/hostname"):
        try: reached.append(open(path).read())
        except OSError: pass
    for folder in ("/tmp", "/dev/shm", "/var/tmp", {str(tmp_path)!r}):
        try: reached.append(open(folder + "/w", "w"))
        except OSError: pass
    return reached
"""
        outcome = call(weaker, source)
        assert outcome.value == [], outcome
        assert [path.name for path in tmp_path.iterdir()] == ["secret"]

    def test_other_processes_are_out_of_reach(self, weaker) -> None:
        source = f"""
import ctypes, os
def tool():
    reached = []
    for pid in (os.getppid(), {os.getpid()}, 0):
        try:
            os.kill(pid, 0)  # 0 is no signal, only the question whether one might be sent
            reached.append(pid)
        except PermissionError: pass
    return reached
"""
        assert call(weaker, source).value == []

    def test_no_network_and_no_second_process(self, weaker) -> None:
        for attempt in ("socket.socket()", "os.fork()", "os.execv('/bin/true', ['true'])"):
            outcome = call(weaker, f"import os, socket\ndef tool(): {attempt}")
            assert outcome.error.startswith("PermissionError"), attempt

    def test_limits_hold(self, weaker) -> None:
        loop = "def tool():\n    while True: pass"
        assert call(weaker, loop, wall_s=0.2).status is Status.TIMEOUT
        hoard = "def tool(): return bytearray(1 << 34)"
        assert call(weaker, hoard).status is Status.MEMORY


class TestFilesWithoutNamespaces:
    """A directory can be shown in its own place only, and nothing can be written."""

    READ = frozenset({Capability.READ})

    @pytest.fixture
    def shown(self) -> Iterator[Path]:
        """A directory in a place that is not one of the sandbox's own."""
        for place in (Path("/srv"), Path("/opt"), Path("/home"), Path.cwd()):
            if not os.access(place, os.W_OK):
                continue
            with tempfile.TemporaryDirectory(dir=place) as name:
                try:
                    Mount(Path(name), name)
                except ValueError:  # a home of root's, say
                    continue
                yield Path(name)
                return
        pytest.skip("no place to make a directory that can be shown")

    def read(self, sandbox, path: Path, *mounts: Mount):
        program = Program(
            f"def tool(): return open({str(path)!r}).read()", "tool", walled=False, needs=self.READ
        )
        return sandbox.run(program, {}, tier=Tier.SANDBOX, access=Access(mounts))

    def test_a_directory_is_read_in_its_own_place(self, weaker, shown) -> None:
        (shown / "in").mkdir()
        (shown / "in" / "note").write_text("hello")
        (shown / "beside").write_text("SECRET")
        (shown / "in" / "link").symlink_to("../beside")
        mount = Mount(shown / "in", str(shown / "in"))
        assert self.read(weaker, shown / "in" / "note", mount).value == "hello"
        for path in (shown / "beside", shown / "in" / "link", shown / "in" / ".." / "beside"):
            assert self.read(weaker, path, mount).error.startswith("PermissionError")
        assert self.read(weaker, shown / "in" / "note").error.startswith("PermissionError")

    def test_it_cannot_be_changed(self, weaker, shown) -> None:
        (shown / "note").write_text("hello")
        source = f"""
import os
def tool():
    refused = 0
    os.chdir({str(shown)!r})
    for change in (
        lambda: open("note", "w"), lambda: open("new", "w"), lambda: os.unlink("note"),
        lambda: os.mkdir("d"), lambda: os.symlink("x", "link"), lambda: os.truncate("note", 0),
        lambda: os.rename("note", "moved"), lambda: os.link("note", "hard"),
    ):
        try: change()
        except OSError: refused += 1
    return refused
"""
        program = Program(source, "tool", walled=False, needs=self.READ)
        access = Access((Mount(shown, str(shown)),))
        assert weaker.run(program, {}, tier=Tier.SANDBOX, access=access).value == 8
        assert [path.name for path in shown.iterdir()] == ["note"]

    def test_another_place_is_unavailable(self, weaker, folder) -> None:
        for access in (Access((Mount(folder, "/data"),)), Access(workspace=folder)):
            program = Program("def tool(): return 1", "tool", needs=self.READ)
            with pytest.raises(
                SandboxUnavailableError,
                match=r"in its own place only, not at .* without user namespaces .*Docker",
            ):
                weaker.run(program, {}, tier=Tier.SANDBOX, access=access)

    @pytest.mark.parametrize("tier", Tier)
    def test_writing_is_unavailable(self, weaker, tmp_path, tier) -> None:
        program = Program("def tool(): return 1", "tool", needs=frozenset({Capability.WRITE}))
        for access in (Access(), Access(workspace=tmp_path)):
            with pytest.raises(
                SandboxUnavailableError,
                match=r"file system of their own to write to without user namespaces .*Docker",
            ):
                weaker.run(program, {}, tier=tier, access=access)
        assert call(weaker, "def tool(): return 1").value == 1

    def test_the_reason_is_the_machines_own(self, tmp_path) -> None:
        isolation = Isolation(WITHOUT_NAMESPACES.layers, {"userns": "Operation not permitted"})
        program = Program("def tool(): return 1", "tool", needs=frozenset({Capability.WRITE}))
        with (
            LocalSandbox(isolation=isolation) as sandbox,
            pytest.raises(SandboxUnavailableError, match=r"\(Operation not permitted\)"),
        ):
            sandbox.run(program, {}, tier=Tier.SANDBOX)


def test_nothing_is_shown_over_what_the_interpreter_needs(folder) -> None:
    library = interpreter.standard_library()
    program = Program("def tool(): return 1", "tool", needs=frozenset({Capability.READ}))
    with LocalSandbox(size=1) as sandbox:
        for target in (library, library / "json", library.parent):
            mount = Mount(folder, "/placeholder")
            # Where the library lies depends on the machine: it may be in a place that is taken.
            object.__setattr__(mount, "target", str(target))
            with pytest.raises(SandboxUnavailableError, match="cannot show anything at"):
                sandbox.run(program, {}, tier=Tier.SANDBOX, access=Access((mount,)))


def test_a_strict_umask_does_not_shut_programs_out(tmp_path) -> None:
    source = "import os, json\ndef tool(): return os.umask(0)"
    before = os.umask(0o077)
    try:
        with LocalSandbox(size=1) as sandbox:
            assert call(sandbox, source).value == 0o022
    finally:
        os.umask(before)


class TestWithoutAnything:
    def test_it_is_refused_with_what_is_missing_and_what_to_do(self) -> None:
        with pytest.raises(SandboxUnavailableError, match=r"landlock: the kernel has none.*Docker"):
            LocalSandbox(isolation=NOTHING)

    @pytest.mark.parametrize("layers", [("seccomp",), ("landlock",), ("userns", "seccomp")])
    def test_half_of_it_is_refused_too(self, layers) -> None:
        with pytest.raises(SandboxUnavailableError):
            LocalSandbox(isolation=Isolation(layers))

    def test_it_is_taken_where_the_caller_says_so(self, processes) -> None:
        with LocalSandbox(size=1, weakest=True, isolation=NOTHING) as sandbox:
            assert sandbox.level == "process-only"
            assert call(sandbox, "def tool(): return 1").value == 1
            assert call(sandbox, "def tool():\n    while 1: pass", wall_s=0.2).status is (
                Status.TIMEOUT
            )
            source = """
import os, time
def tool():
    read, write = os.pipe()
    for _ in range(3):
        if os.fork() == 0:
            os.setsid()
            if os.fork() == 0:
                os.write(write, b"%9d" % os.getpid())
                time.sleep(600)
            os._exit(0)
    return [int(os.read(read, 9)) for _ in range(3)]
"""
            outcome = call(sandbox, source)
            # What the program left behind has lost its parent, and is ended all the same.
            assert outcome.ok, outcome
            assert len(outcome.value) == 3
            assert not processes.alive(set(outcome.value))


@pytest.mark.parametrize(
    ("failing", "left"),
    [
        ({"userns"}, ("landlock", "seccomp")),
        ({"userns", "landlock"}, ("seccomp",)),
        ({"userns", "landlock", "seccomp"}, ()),
    ],
)
def test_layers_that_fail_are_left_out_with_their_reason(failing, left, monkeypatch) -> None:
    real = local._settings

    def broken(isolation, setting, *, check):
        settings = real(isolation, setting, check=check)
        if "userns" in failing:
            settings["files"] = ["/no/such/file"]
        if "landlock" in failing:
            settings["grants"] = [("/\0", True, True, False)]
        if "seccomp" in failing:
            settings["base_filter"] = ""
        return settings

    monkeypatch.setattr(local, "_settings", broken)
    monkeypatch.setattr(local, "_known", [])
    isolation = available_isolation()
    assert isolation.layers == left
    assert set(isolation.missing) == failing
    assert all(isolation.missing.values())


def test_a_layer_that_fails_later_starts_no_weaker_worker(monkeypatch) -> None:
    real = local._settings

    def broken(isolation, setting, *, check):
        return {**real(isolation, setting, check=check), "base_filter": "00"}

    with LocalSandbox(size=1) as sandbox:
        monkeypatch.setattr(local, "_settings", broken)
        with pytest.raises(SandboxUnavailableError, match="failed at seccomp"):
            call(sandbox, "def tool(): return 1")
        monkeypatch.undo()
        assert call(sandbox, "def tool(): return 1").ok


def test_an_interpreter_that_does_not_start_is_the_sandboxs_failure(monkeypatch) -> None:
    with LocalSandbox(size=1) as sandbox:
        for command in ("/no/such/python", "/bin/false"):
            monkeypatch.setattr(local.interpreter, "executable", lambda command=command: command)
            with pytest.raises(SandboxUnavailableError, match="local sandbox"):
                call(sandbox, "def tool(): return 1")


_DIES_AND_LEAVES_A_CHILD = """
import os, sys
there, tell = os.pipe()
if os.fork():
    os.read(there, 1)
    os.write(2, b"the last words")
    os._exit(1)
os.setsid()  # what stays in the launcher's own session ends with it
os.close(0), os.close(1)
until = os.open(sys.argv[1], os.O_RDWR)
os.write(tell, b"1")
os.read(until, 1)
"""


def test_what_a_failed_start_leaves_running_is_not_waited_for(monkeypatch, tmp_path) -> None:
    with LocalSandbox(size=1, isolation=Isolation(FULL)) as sandbox:
        until = tmp_path / "until"
        os.mkfifo(until)
        command = ("-c", _DIES_AND_LEAVES_A_CHILD, str(until))
        monkeypatch.setattr(local, "COMMAND_LINE", command)
        with pytest.raises(SandboxUnavailableError, match="the last words"):
            call(sandbox, "def tool(): return 1")
        let_go = os.open(until, os.O_WRONLY | os.O_NONBLOCK)  # fails where nobody reads any more
        os.write(let_go, b"1")
        os.close(let_go)


def test_other_systems_are_sent_to_docker(monkeypatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    for weakest in (False, True):
        monkeypatch.setattr(local, "_known", [])
        with pytest.raises(SandboxUnavailableError, match=r"darwin and not Linux.*Docker"):
            LocalSandbox(weakest=weakest)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_it_works_for_an_ordinary_user() -> None:
    python = shutil.which("python3", path="/usr/bin")
    if not python:
        pytest.skip("no interpreter that others than root may use")
    script = """
import sys
if sys.version_info < (3, 11): sys.exit(77)
import pathlib
import tempfile
from toolguild.policies import Capability, Tier
from toolguild.sandbox import Access, Mount, Program, open_sandbox
source = '\''
import os
def tool():
    open("made", "w").write(open("/data/note").read())
    return os.getuid()
'\''
with open_sandbox("local", size=1) as sandbox, tempfile.TemporaryDirectory() as name:
    folder = pathlib.Path(name)
    for part in ("data", "workspace"):
        (folder / part).mkdir(mode=0o700)
    (folder / "data" / "note").write_text("hello")
    (folder / "data" / "note").chmod(0o600)
    outcome = sandbox.run(
        Program(source, "tool", walled=False, needs=frozenset(Capability)),
        {},
        tier=Tier.RESTRICTED,
        access=Access((Mount(folder / "data", "/data"),), folder / "workspace"),
    )
    print(sandbox.level, outcome.value, (folder / "workspace" / "made").read_text())
"""
    ordinary = 12345
    with tempfile.TemporaryDirectory() as folder:
        # Where the packages are installed may be out of an ordinary user's reach.
        Path(folder).chmod(0o755)
        for package in (toolguild, RestrictedPython):
            source = Path(str(package.__file__)).parent
            left_out = shutil.ignore_patterns(".*", "build", "tests", "__pycache__")
            shutil.copytree(source, Path(folder, package.__name__), ignore=left_out)
        done = subprocess.run(
            [python, "-B", "-c", script],
            env={"PYTHONPATH": folder},
            user=ordinary,
            group=ordinary,
            extra_groups=[],
            cwd="/",
            capture_output=True,
            text=True,
            timeout=60,
        )
    if done.returncode == 77:
        pytest.skip("the interpreter for ordinary users is too old")
    assert done.stdout == "userns+landlock+seccomp 65534 hello\n", done.stderr


def test_the_process_that_finds_out_becomes_the_first_worker(monkeypatch, processes) -> None:
    monkeypatch.setattr(local, "_known", [])
    before = processes.children({os.getpid()})
    with LocalSandbox(size=1) as sandbox:
        started = processes.children({os.getpid()}) - before
        assert len(started) == 1
        assert call(sandbox, "def tool(): return 1").ok
        assert processes.children({os.getpid()}) - before == started
    assert processes.eventually(lambda: not processes.alive(started))
