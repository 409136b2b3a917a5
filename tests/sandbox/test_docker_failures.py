"""Failures of the engine: they are the sandbox's, say what to do, and never count against a tool.

On an engine of the tests' own, with its data in memory, that can be stopped, frozen and filled up.
"""

from __future__ import annotations

import contextlib
import http.server
import json
import os
import platform
import shutil
import signal
import socket
import socketserver
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

import pytest

from toolguild.policies import Tier
from toolguild.sandbox import (
    Limits,
    Outcome,
    Program,
    Sandbox,
    SandboxUnavailableError,
    Status,
    ToolGateway,
    engine,
    open_sandbox,
)
from toolguild.sandbox import docker as backend
from toolguild.sandbox.engine import connect
from toolguild.sandbox.images.image import find_image
from toolguild.sandbox.owner import LABEL, Owner

IDENTITY = Program("def tool(x): return x", "tool")
CALLING = Program("def tool(x): return call_tool('x', {})", "tool")
PATIENCE_S = 2.0


class Engine:
    """A Docker engine, apart from the machine's own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.data = folder / "data"
        self.address = f"unix://{folder}/socket"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it where it does not run, and wait until it answers."""
        if self._process and self._process.poll() is None:
            return
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [
                    _where("dockerd"),
                    *("--config-file", str(self.folder / "daemon.json")),
                    *("--data-root", str(self.data), "--exec-root", str(self.folder / "exec")),
                    *("--pidfile", str(self.folder / "pid"), "-H", self.address),
                    *("--bridge", "none", "--iptables=false", "--ip-masq=false"),
                    *("--containerd-namespace", "toolguild-tests"),
                    *("--containerd-plugins-namespace", "toolguild-tests-plugins"),
                ],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        until = time.monotonic() + 60
        while time.monotonic() < until and self._process.poll() is None:
            asked = [_where("docker"), "-H", self.address, "version"]
            if subprocess.run(asked, check=False, capture_output=True).returncode == 0:
                return
            time.sleep(0.1)
        pytest.fail(f"the engine does not start: {(self.folder / 'log').read_text()[-2000:]}")

    def send(self, number: int) -> None:
        """Send a signal; one that stops it has stopped all its threads on return."""
        assert self._process
        self._process.send_signal(number)
        if number == signal.SIGSTOP:
            assert within(20, self._is_stopped)

    def _is_stopped(self) -> bool:
        assert self._process
        threads = Path(f"/proc/{self._process.pid}/task").iterdir()
        # After the command's name, which may itself hold anything, comes the state.
        states = {(thread / "stat").read_text().rpartition(")")[2].split()[0] for thread in threads}
        return states == {"T"}

    def stop(self, number: int = signal.SIGTERM) -> None:
        """End it, by default as the system does, and wait until it has ended."""
        if self._process:
            self._process.send_signal(signal.SIGCONT)
            self._process.send_signal(number)
            self._process.wait(60)
            if number == signal.SIGKILL:
                self.end_what_it_left()

    def end_what_it_left(self) -> None:
        """End the processes that outlived it, as a power cut would."""
        until = time.monotonic() + 20
        while (left := self._left()) and time.monotonic() < until:
            for process in left:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(process, signal.SIGKILL)
            time.sleep(0.05)
        # Whose number may have come to be another's by the time of the next start.
        (self.folder / "exec" / "containerd" / "containerd.pid").unlink(missing_ok=True)

    def _left(self) -> list[int]:
        """Return its processes: each has a path below its folder as an argument."""
        found = []
        for command in Path("/proc").glob("[0-9]*/cmdline"):
            with contextlib.suppress(OSError):
                if str(self.folder).encode() in command.read_bytes():
                    found.append(int(command.parent.name))
        return found


def _where(command: str) -> str:
    found = shutil.which(command)
    assert found, f"there is no {command}"
    return found


@pytest.fixture(scope="module")
def made_engine() -> Iterator[Engine]:
    if os.geteuid() != 0 or not shutil.which("dockerd"):
        pytest.skip("an engine of one's own needs root and dockerd")
    # Not in pytest's folder: the path of a unix socket has 107 characters at most.
    folder = Path(tempfile.mkdtemp(prefix="tg-engine-"))
    made = Engine(folder)
    made.data.mkdir()
    (folder / "daemon.json").write_text("{}")
    size = ["-o", "size=700m"]
    subprocess.run([_where("mount"), "-t", "tmpfs", *size, "tmpfs", str(made.data)], check=True)
    try:
        yield made
    finally:
        made.stop()
        made.end_what_it_left()
        below = [line.split()[1] for line in Path("/proc/mounts").read_text().splitlines()]
        for mount in sorted((path for path in below if path.startswith(str(folder))), reverse=True):
            subprocess.run([_where("umount"), "-l", mount], check=True)
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def own_engine(made_engine: Engine, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    """The engine, running, as the one that `connect` finds."""
    made_engine.start()
    monkeypatch.setenv("DOCKER_HOST", made_engine.address)
    yield made_engine
    made_engine.send(signal.SIGCONT)
    made_engine.start()


@pytest.fixture
def sandbox(own_engine: Engine) -> Iterator[Sandbox]:
    """A sandbox on that engine, with a container that has run something."""
    with open_sandbox("docker", size=1) as opened:
        assert run(opened).ok
        yield opened


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait for answers no longer than a test may take."""
    monkeypatch.setattr(backend, "connect", partial(connect, PATIENCE_S))
    monkeypatch.setattr(engine, "_PING_S", PATIENCE_S)


def run(
    sandbox: Sandbox,
    program: Program = IDENTITY,
    *,
    tools: ToolGateway | None = None,
    wall_s: float = 5,
    memory_mb: int = 64,
) -> Outcome:
    limits = Limits(wall_s=wall_s, memory_mb=memory_mb)
    return sandbox.run(program, {"x": 1}, tier=Tier.SANDBOX, tools=tools, limits=limits)


def container() -> str:
    """Return the one container of this process on the engine that `connect` finds."""
    with contextlib.closing(connect()) as client:
        filters = {"label": f"{LABEL}={Owner.current()}"}
        (found,) = client.containers(filters=filters)
        return str(found["Id"])


def first_process(container: str) -> int:
    with contextlib.closing(connect()) as client:
        return int(client.inspect_container(container)["State"]["Pid"])


def in_the_middle(act: Callable[[], object]) -> ToolGateway:
    """Answer a program's call of a tool, after something else happened."""

    def gateway(name: str, arguments: object) -> bool:
        act()
        return True

    return gateway


def within(seconds: float, condition: Callable[[], bool]) -> bool:
    until = time.monotonic() + seconds
    while not condition() and time.monotonic() < until:
        time.sleep(0.05)
    return condition()


def no_containers() -> bool:
    with contextlib.closing(connect()) as client:
        return not client.containers(all=True)


@pytest.mark.docker
class TestStopped:
    def test_before_the_first_run_it_says_what_to_do_and_works_once_it_is_back(
        self, own_engine
    ) -> None:
        own_engine.stop()
        with open_sandbox("docker", size=1) as sandbox:
            with pytest.raises(
                SandboxUnavailableError, match=r"cannot reach the Docker engine.*docker info"
            ):
                run(sandbox)
            own_engine.start()
            assert run(sandbox).ok

    def test_between_runs_the_next_is_unavailable_and_the_one_after_works(
        self, own_engine, sandbox
    ) -> None:
        own_engine.stop(signal.SIGTERM)
        with pytest.raises(SandboxUnavailableError, match=r"cannot .*docker info"):
            run(sandbox)
        own_engine.start()
        assert run(sandbox).ok

    def test_what_runs_goes_on_without_an_engine_that_was_killed(self, own_engine, sandbox) -> None:
        # It takes no container along; only a new one is more than it can give.
        kill = in_the_middle(lambda: own_engine.stop(signal.SIGKILL))
        assert run(sandbox, CALLING, tools=kill).ok
        assert run(sandbox).ok
        with pytest.raises(SandboxUnavailableError, match=r"cannot .*docker info"):
            run(sandbox, memory_mb=65)
        own_engine.start()
        assert run(sandbox).ok
        sandbox.close()
        assert within(20, no_containers)

    def test_during_a_run_that_run_is_unavailable_and_the_next_works(
        self, own_engine, sandbox
    ) -> None:
        stop = in_the_middle(lambda: own_engine.stop(signal.SIGTERM))
        with pytest.raises(SandboxUnavailableError):
            run(sandbox, CALLING, tools=stop)
        own_engine.start()
        assert run(sandbox).ok
        sandbox.close()
        assert within(20, no_containers)

    def test_closing_without_an_engine_is_no_error(self, own_engine) -> None:
        with open_sandbox("docker", size=1) as sandbox:
            assert run(sandbox).ok
            own_engine.stop()
        own_engine.start()
        assert within(20, no_containers)


@pytest.mark.docker
class TestHanging:
    def test_before_the_first_run_it_is_unavailable_before_long(
        self, own_engine, impatient
    ) -> None:
        with open_sandbox("docker", size=1) as sandbox:
            own_engine.send(signal.SIGSTOP)
            begin = time.monotonic()
            with pytest.raises(SandboxUnavailableError, match=r"does not answer.*restart it"):
                run(sandbox)
            assert time.monotonic() - begin < 20

    def test_during_a_run_it_is_not_missed(self, own_engine, sandbox, impatient) -> None:
        freeze = in_the_middle(lambda: own_engine.send(signal.SIGSTOP))
        assert run(sandbox, CALLING, tools=freeze, wall_s=0.5).ok
        own_engine.send(signal.SIGCONT)
        assert run(sandbox).ok

    def test_where_all_goes_through_the_engine_that_is_blamed(
        self, own_engine, monkeypatch, impatient
    ) -> None:
        monkeypatch.setattr(backend, "_shares_kernel", lambda prepared: False)
        with open_sandbox("docker", size=1) as sandbox:
            assert run(sandbox).ok
            self._hang_during_a_run(own_engine, sandbox)

    def _hang_during_a_run(self, own_engine, sandbox) -> None:
        freeze = in_the_middle(lambda: own_engine.send(signal.SIGSTOP))
        begin = time.monotonic()
        with pytest.raises(SandboxUnavailableError, match=r"does not answer.*restart it"):
            run(sandbox, CALLING, tools=freeze, wall_s=0.5)
        assert time.monotonic() - begin < 30
        own_engine.send(signal.SIGCONT)
        assert run(sandbox).ok
        sandbox.close()
        assert within(20, no_containers)

    def test_closing_comes_to_an_end_and_nothing_stays(
        self, own_engine, sandbox, impatient
    ) -> None:
        own_engine.send(signal.SIGSTOP)
        begin = time.monotonic()
        sandbox.close()
        assert time.monotonic() - begin < 20
        own_engine.send(signal.SIGCONT)
        assert within(20, no_containers)

    def test_no_request_is_made_without_a_bound(self, own_engine, monkeypatch) -> None:
        monkeypatch.setattr(engine, "_LONGEST_S", 0.5)
        with contextlib.closing(connect()) as client:
            image = find_image(client)
            waiting = client.create_container(
                image.id, ["-S", "-c", "input()"], entrypoint="python3", stdin_open=True
            )["Id"]
            client.start(waiting)
            # docker-py itself would wait for this as long as the container runs.
            with (
                pytest.raises(SandboxUnavailableError, match="does not answer"),
                engine.engine_errors("wait"),
            ):
                client.wait(waiting)
            client.remove_container(waiting, force=True)


@pytest.mark.docker
class TestKilled:
    def test_by_docker_kill(self, sandbox) -> None:
        def kill() -> None:
            with contextlib.closing(connect()) as client:
                client.kill(container())

        with pytest.raises(SandboxUnavailableError, match="killed through the engine"):
            run(sandbox, CALLING, tools=in_the_middle(kill))
        assert run(sandbox).ok

    def test_or_stopped_by_docker_pause(self, sandbox) -> None:
        def pause() -> None:
            with contextlib.closing(connect()) as client:
                client.pause(container())

        with pytest.raises(SandboxUnavailableError, match="was paused"):
            run(sandbox, CALLING, tools=in_the_middle(pause), wall_s=0.5)
        assert run(sandbox).ok

    def test_by_the_host(self, sandbox) -> None:
        def end() -> None:
            first = first_process(container())
            os.kill(first, signal.SIGKILL)
            assert within(20, lambda: not Path(f"/proc/{first}").exists())

        kill = in_the_middle(end)
        with pytest.raises(SandboxUnavailableError, match="killed by the host"):
            run(sandbox, CALLING, tools=kill)
        assert run(sandbox).ok

    def test_for_want_of_memory(self, sandbox) -> None:
        hoarding = Program(
            "def tool(x):\n    call_tool('x', {})\n    return len(bytearray(60 << 20))", "tool"
        )

        def squeeze() -> None:
            # The kernel takes the process with the highest score, which the program's would be.
            first = first_process(container())
            Path(f"/proc/{first}/oom_score_adj").write_text("1000")
            with contextlib.closing(connect()) as client:
                limit = 50 << 20
                client.update_container(container(), mem_limit=limit, memswap_limit=limit)

        with pytest.raises(SandboxUnavailableError, match="for want of memory"):
            run(sandbox, hoarding, tools=in_the_middle(squeeze))
        assert run(sandbox).ok

    def test_one_whose_own_processes_end_is_no_failure_of_the_engine(
        self, sandbox, processes
    ) -> None:
        def end_supervisor() -> None:
            first = first_process(container())
            (supervisor, *_) = sorted(processes.below({first}))
            os.kill(supervisor, signal.SIGKILL)

        outcome = run(sandbox, CALLING, tools=in_the_middle(end_supervisor))
        assert outcome.status is Status.KILLED
        assert run(sandbox).ok


@pytest.mark.docker
class TestGone:
    def test_an_image_that_was_removed_is_made_again(self, own_engine) -> None:
        with (
            contextlib.closing(connect()) as client,
            open_sandbox("docker", size=1, recycle_after=1) as sandbox,
        ):
            assert run(sandbox).ok
            assert within(20, no_containers)
            client.remove_image(find_image(client).id, force=True)
            before = sandbox.level
            assert run(sandbox).ok
            assert sandbox.level != before

    def test_a_full_disk_is_told_from_other_errors_and_passes(self, own_engine, sandbox) -> None:
        filler = own_engine.data / "filler"
        with filler.open("wb", buffering=0) as file, contextlib.suppress(OSError):
            while True:
                file.write(bytes(1 << 20))
        with filler.open("ab", buffering=0) as file, contextlib.suppress(OSError):
            while True:
                file.write(b"x")
        try:
            with pytest.raises(
                SandboxUnavailableError, match=r"no space left on device.*docker system prune"
            ):
                run(sandbox, memory_mb=65)  # which takes a container of its own
        finally:
            filler.unlink()
        assert run(sandbox, memory_mb=66).ok

    def test_a_full_disk_while_an_image_is_made(self, own_engine) -> None:
        with contextlib.closing(connect()) as client:
            for image in client.images(quiet=True):
                client.remove_image(image, force=True)
            room = shutil.disk_usage(own_engine.data).free - (20 << 20)
            filler = own_engine.data / "filler"
            filler.write_bytes(bytes(room))
            try:
                with pytest.raises(
                    SandboxUnavailableError, match=r"cannot make the image.*no space left on device"
                ):
                    find_image(client)
            finally:
                filler.unlink()
            assert find_image(client).id.startswith("sha256:")


@pytest.mark.docker
def test_what_a_killed_process_leaves_with_a_hanging_engine_is_gone_at_the_next_start(
    own_engine,
) -> None:
    script = """
import sys, time
from toolguild.policies import Tier
from toolguild.sandbox import Program, open_sandbox
sandbox = open_sandbox("docker", size=2)
def again(name, arguments):
    print("warm", flush=True)
    time.sleep(600)
sandbox.run(
    Program("def tool(): return call_tool('x', {})", "tool"), {}, tier=Tier.SANDBOX, tools=again
)
"""
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE) as host:
        assert host.stdout
        assert host.stdout.readline() == b"warm\n"
        with contextlib.closing(connect()) as client:
            assert len(client.containers()) == 1
        own_engine.send(signal.SIGSTOP)
        host.kill()
    own_engine.send(signal.SIGCONT)
    with open_sandbox("docker", size=1) as sandbox:
        assert run(sandbox).ok
    assert within(20, no_containers)


class TestWayThere:
    @pytest.mark.parametrize(
        ("address", "reason"),
        [
            ("unix:///no/such/socket", "No such file or directory"),
            ("tcp://127.0.0.1:9", "Connection refused"),
            ("nonsense://x", "Invalid bind address protocol"),
        ],
    )
    def test_a_wrong_address_is_named_with_its_error(self, address, reason, monkeypatch) -> None:
        monkeypatch.setenv("DOCKER_HOST", address)
        with pytest.raises(SandboxUnavailableError) as caught:
            connect()
        said = str(caught.value)
        assert address in said
        assert reason in said
        assert "DOCKER_HOST" in said

    def test_ssh_is_refused_with_the_way_around_it(self, monkeypatch) -> None:
        monkeypatch.setenv("DOCKER_HOST", "ssh://somewhere")
        with pytest.raises(SandboxUnavailableError, match=r"not over ssh://somewhere.*ssh -NL"):
            connect()

    @pytest.mark.docker
    def test_a_socket_of_others_says_how_to_be_let_in(self, own_engine) -> None:
        own_engine.folder.chmod(0o755)
        os.seteuid(12345)
        try:
            with pytest.raises(
                SandboxUnavailableError, match=r"Permission denied.*usermod -aG docker"
            ):
                connect()
        finally:
            os.seteuid(0)

    @pytest.mark.docker
    def test_the_context_that_docker_uses_is_used(self, own_engine, tmp_path, monkeypatch) -> None:
        monkeypatch.delenv("DOCKER_HOST")
        monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
        address = own_engine.address
        made = [_where("docker"), "context", "create", "own", "--docker", f"host={address}"]
        subprocess.run(made, check=True, capture_output=True)
        subprocess.run([_where("docker"), "context", "use", "own"], check=True, capture_output=True)
        with contextlib.closing(connect()) as client:
            assert client.info()["DockerRootDir"] == str(own_engine.data)
        monkeypatch.setenv("DOCKER_CONTEXT", "other")
        with pytest.raises(SandboxUnavailableError, match="no Docker context 'other'"):
            connect()


class _OtherEngine(http.server.BaseHTTPRequestHandler):
    """Answers the questions that tell what an engine is; such ones cannot be had here."""

    version: ClassVar[dict[str, str]] = {}

    def do_GET(self) -> None:
        answers: dict[str, dict[str, Any]] = {
            "version": self.version,
            "info": {"DefaultRuntime": "runc", "Runtimes": {"runc": {}}},
        }
        answer = answers.get(self.path.rpartition("/")[2])
        body = json.dumps(answer or {"message": f"No such image: {self.path}"}).encode()
        self.send_response(404 if answer is None else 200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def address_string(self) -> str:
        return "a unix socket"

    def log_message(self, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def other_engine(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., None]]:
    """Make `connect` find an engine of some version."""
    with contextlib.ExitStack() as stack:

        def serve(**version: str) -> None:
            folder = stack.enter_context(tempfile.TemporaryDirectory())
            handler = type("Handler", (_OtherEngine,), {"version": version})
            server = stack.enter_context(
                socketserver.ThreadingUnixStreamServer(f"{folder}/socket", handler)
            )
            thread = threading.Thread(target=server.serve_forever, args=(0.05,))
            thread.start()
            stack.callback(thread.join)
            stack.callback(server.shutdown)
            monkeypatch.setenv("DOCKER_HOST", f"unix://{folder}/socket")

        yield serve


class TestOtherEngines:
    def test_one_that_is_too_old_is_told_to_update(self, other_engine) -> None:
        other_engine(ApiVersion="1.40", Os="linux", Arch="amd64")
        with pytest.raises(SandboxUnavailableError, match=r"version 1\.40 .*1\.41 .*20\.10"):
            connect()

    def test_one_that_runs_windows_containers_is_told_to_switch(self, other_engine) -> None:
        other_engine(ApiVersion="1.41", Os="windows", Arch="amd64")
        with (
            open_sandbox("docker") as sandbox,
            pytest.raises(
                SandboxUnavailableError, match="switch Docker Desktop to Linux containers"
            ),
        ):
            run(sandbox)

    def test_one_of_another_architecture_needs_an_image_of_its_own(self, other_engine) -> None:
        other = "arm64" if platform.machine() == "x86_64" else "amd64"
        other_engine(ApiVersion="1.41", Os="linux", Arch=other)
        with (
            open_sandbox("docker") as sandbox,
            pytest.raises(SandboxUnavailableError, match=r"no image python:.*docker pull"),
        ):
            run(sandbox)

    def test_an_architecture_without_a_filter_is_refused(self) -> None:
        with pytest.raises(SandboxUnavailableError, match=r"no filter for engines of .* s390x"):
            backend._machine("s390x")

    def test_what_is_no_engine_at_all_is_unavailable(self, other_engine) -> None:
        other_engine(Product="something else")
        with pytest.raises(SandboxUnavailableError, match="ApiVersion"):
            connect()

    def test_one_that_accepts_and_says_nothing_is_given_up_on(self, monkeypatch, tmp_path) -> None:
        with tempfile.TemporaryDirectory() as folder, socket.socket(socket.AF_UNIX) as silent:
            silent.bind(f"{folder}/socket")
            silent.listen()
            monkeypatch.setenv("DOCKER_HOST", f"unix://{folder}/socket")
            with pytest.raises(SandboxUnavailableError, match="does not answer"):
                connect(0.2)
