"""Many calls, and calls while everything around them is killed: each ends, and nothing stays."""

from __future__ import annotations

import contextlib
import gc
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from docker.constants import DEFAULT_UNIX_SOCKET
from docker.errors import APIError, NotFound

import toolguild
from toolguild.policies import Tier
from toolguild.sandbox import (
    Limits,
    Outcome,
    Program,
    Sandbox,
    SandboxUnavailableError,
    Status,
    open_sandbox,
)
from toolguild.sandbox.docker import LABEL
from toolguild.sandbox.engine import connect
from toolguild.sandbox.owner import Owner

ROOT = Path(toolguild.__file__).resolve().parent
WORK = Program("def tool(x):\n    call_tool('a', {})\n    return sum(range(x))", "tool")
SLEEP = Program("import time\ndef tool(x): time.sleep(x / 1000)", "tool", walled=False)
LIMITS = Limits(wall_s=2)
PATIENCE_S = LIMITS.wall_s + 40
"""For one call at the very most, a container that has to be started first included."""


@pytest.mark.parametrize("kind", ["local", pytest.param("docker", marks=pytest.mark.docker)])
def test_many_mixed_calls_leak_nothing(kind, request) -> None:
    if kind == "docker":
        request.getfixturevalue("docker_engine")
    if not (ROOT / "benchmarks").is_dir():
        pytest.skip("the benchmarks are not installed with the package")
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.sandbox", "soak", "500", "--kind", kind],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "nothing leaked" in done.stdout


def calls_under(
    disturb: Callable[[], None], sandbox: Sandbox, seconds: float
) -> list[Outcome | None]:
    """Call from several threads while something is disturbed.

    Returns how each call ended, None for `SandboxUnavailableError`: kept, an exception would keep
    the connections in its frames open.
    """
    ends: list[Outcome | None] = []
    until = time.monotonic() + seconds

    def work(number: int) -> None:
        turn = 0
        while time.monotonic() < until:
            turn += 1
            program = SLEEP if (number + turn) % 3 == 0 else WORK
            begin = time.monotonic()
            try:
                outcome = sandbox.run(
                    program, {"x": 20}, tier=Tier.FULL, limits=LIMITS, tools=lambda *_: 1
                )
                assert outcome.ok or outcome.status in (Status.KILLED, Status.TIMEOUT), outcome
                ends.append(outcome)
            except SandboxUnavailableError:
                ends.append(None)
            assert time.monotonic() - begin < PATIENCE_S

    with ThreadPoolExecutor(5) as threads:
        workers = [threads.submit(work, number) for number in range(4)]
        while time.monotonic() < until:
            disturb()
        for worker in workers:
            worker.result(PATIENCE_S * 2)
    return ends


def works_again(sandbox: Sandbox) -> bool:
    return sandbox.run(WORK, {"x": 5}, tier=Tier.FULL, tools=lambda *_: 1).value == 10


@pytest.fixture
def chance() -> random.Random:
    return random.Random(4711)  # noqa: S311 - the same disturbances each time


def test_every_call_ends_while_processes_are_killed(processes, chance) -> None:
    with open_sandbox("local", size=2) as sandbox:
        assert works_again(sandbox)

        def disturb() -> None:
            time.sleep(chance.uniform(0, 0.1))
            # Launcher, nursery, supervisor or child: whichever it is, the call ends.
            if below := sorted(processes.below({os.getpid()})):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(chance.choice(below), signal.SIGKILL)

        ends = calls_under(disturb, sandbox, 6)
        seen = processes.below({os.getpid()})
        assert any(end is not None and end.ok for end in ends)
        assert works_again(sandbox)
    assert processes.eventually(lambda: not processes.alive(seen))


@pytest.fixture
def engine(docker_engine):
    client = connect()
    yield client
    client.close()


def own_containers(client) -> list[str]:
    own = {"label": f"{LABEL}={Owner.current()}"}
    return [container["Id"] for container in client.containers(all=True, filters=own)]


@pytest.mark.docker
def test_every_call_ends_while_containers_are_killed(engine, chance, processes) -> None:
    before = set(own_containers(engine))
    with open_sandbox("docker", size=2) as sandbox:
        assert works_again(sandbox)

        def disturb() -> None:
            time.sleep(chance.uniform(0, 0.5))
            if mine := sorted(set(own_containers(engine)) - before):
                with contextlib.suppress(NotFound, APIError):
                    engine.kill(chance.choice(mine))

        ends = calls_under(disturb, sandbox, 8)
        assert any(end is not None and end.ok for end in ends)
        assert works_again(sandbox)
    assert processes.eventually(lambda: set(own_containers(engine)) <= before, 20)


class Relay:
    """A way to the engine that can be cut, without disturbing anybody else's."""

    def __init__(self, path: Path, engine: str) -> None:
        self._engine = engine
        self._open: list[socket.socket] = []
        self._lock = threading.Lock()
        self._closed = False
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(path))
        self._listener.listen(64)
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                far = socket.socket(socket.AF_UNIX)
                far.connect(self._engine)
                with self._lock:
                    self._open += (near, far)
                    closed = self._closed
                if closed:
                    self.cut()
                    return
                for pair in ((near, far), (far, near)):
                    threading.Thread(target=self._copy, args=pair, daemon=True).start()

    @staticmethod
    def _copy(source: socket.socket, target: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(1 << 16):
                target.sendall(data)
        with contextlib.suppress(OSError):
            target.shutdown(socket.SHUT_WR)

    def cut(self) -> None:
        """Break every connection there is."""
        with self._lock:
            broken, self._open = self._open, []
        for end in broken:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()

    def close(self) -> None:
        """Break every connection, and take no more."""
        with self._lock:
            self._closed = True
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.cut()


@pytest.fixture
def relay(docker_engine, monkeypatch) -> Iterator[Relay]:
    host = os.environ.get("DOCKER_HOST", DEFAULT_UNIX_SOCKET)
    path = Path("/" + host.partition("unix://")[2].lstrip("/"))
    if not path.is_socket():
        pytest.skip("the engine is not reached over a unix socket")
    folder = tempfile.mkdtemp()  # short, as the path of a socket has to be
    made = Relay(Path(folder, "engine"), str(path))
    monkeypatch.setenv("DOCKER_HOST", f"unix://{folder}/engine")
    yield made
    made.close()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)  # see NO_CONNECTION
        gc.collect()
    shutil.rmtree(folder)


# docker-py leaves a socket to the garbage collector that could not be connected.
NO_CONNECTION = pytest.mark.filterwarnings("ignore:unclosed.*socket:ResourceWarning")


@pytest.mark.docker
@NO_CONNECTION
def test_every_call_ends_while_the_way_to_the_engine_breaks(
    engine, relay, chance, processes
) -> None:
    before = set(own_containers(engine))
    with open_sandbox("docker", size=2) as sandbox:
        assert works_again(sandbox)

        def disturb() -> None:
            time.sleep(chance.uniform(0, 0.6))
            relay.cut()

        ends = calls_under(disturb, sandbox, 8)
        assert any(end is not None and end.ok for end in ends)
        assert works_again(sandbox)
    # Those that could not be removed lost their stdin, and end by themselves.
    assert processes.eventually(lambda: set(own_containers(engine)) <= before, 20)


@pytest.mark.docker
@NO_CONNECTION
def test_an_engine_that_goes_away_is_unavailable_and_not_waited_for(engine, relay) -> None:
    with open_sandbox("docker", size=1) as sandbox:
        assert works_again(sandbox)
        relay.close()
        ends = calls_under(lambda: time.sleep(0.1), sandbox, 1)
        assert None in ends
        with pytest.raises(SandboxUnavailableError, match="docker info"):
            works_again(sandbox)


OWNER = """
import sys, threading
from toolguild.policies import Tier
from toolguild.sandbox import Program, open_sandbox
from toolguild.sandbox.owner import Owner
sandbox = open_sandbox(sys.argv[1], size=2)
program = Program("def tool(): return 1", "tool")
def work():
    while True: sandbox.run(program, {}, tier=Tier.FULL)
print(Owner.current(), flush=True)
for _ in range(3): threading.Thread(target=work, daemon=True).start()
threading.Event().wait()
"""


@pytest.mark.parametrize("seconds", [0.0, 0.1, 0.2, 0.3, 0.45, 0.7, 1.5])
def test_whenever_our_own_process_is_killed_nothing_is_left(
    kind, seconds, processes, request
) -> None:
    command = [sys.executable, "-c", OWNER, kind]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as host:
        assert host.stdout
        owner = host.stdout.readline().decode().strip()
        time.sleep(seconds)
        family = processes.below({host.pid})
        host.kill()
    assert processes.eventually(lambda: not processes.alive(family), 20)
    if kind == "docker":
        engine = request.getfixturevalue("engine")
        own = {"label": f"{LABEL}={owner}"}

        def is_gone() -> bool:
            # The engine may still be making one that was asked for. One that never started is
            # removed by the next to open a sandbox.
            with open_sandbox("docker", size=1) as sandbox:
                assert sandbox.level
            return not engine.containers(all=True, filters=own)

        assert processes.eventually(is_gone, 20)
        time.sleep(0.3)
        assert processes.eventually(is_gone, 20)
