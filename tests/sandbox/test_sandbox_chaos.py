"""Calls while everything around them is killed: each ends, in time, and nothing stays behind.

What is killed when is drawn from `$TOOLGUILD_SEED`, which a failing test prints.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple, Self

import docker
import pytest
from docker.constants import DEFAULT_UNIX_SOCKET
from docker.errors import APIError, NotFound

from toolguild.policies import Tier
from toolguild.sandbox import (
    Json,
    Limits,
    Outcome,
    Program,
    Sandbox,
    SandboxUnavailableError,
    Status,
    ToolCallError,
    open_sandbox,
)
from toolguild.sandbox.docker import LABEL
from toolguild.sandbox.engine import connect
from toolguild.sandbox.owner import Owner

TOO_LONG_S = 120.0
"""For all the disturbances of one test."""
LIMITS = Limits(wall_s=1.0)
ONE_CALL_S = LIMITS.wall_s + 45
"""For one call at the very most, a worker that has to be started first included."""


class Case(NamedTuple):
    """A program, and how it ends where nothing disturbs it."""

    program: Program
    end: Status


ECHO = Case(Program("def tool(x): return call_tool('echo', {'x': x})", "tool"), Status.OK)
CASES = (
    *(ECHO, ECHO, ECHO),
    Case(Program("import time\ndef tool(x):\n    time.sleep(0.02)\n    return x", "tool", False),
         Status.OK),
    Case(Program("def tool(x): raise ValueError(x)", "tool"), Status.ERROR),
    Case(Program("import os\ndef tool(x): os._exit(1)", "tool", False), Status.KILLED),
    Case(Program("def tool(x):\n    while True: pass", "tool", False), Status.TIMEOUT),
)  # fmt: skip
DISTURBED = frozenset({Status.KILLED, Status.TIMEOUT})
"""How any of them may end besides: its worker died, or hung."""


def echo(name: str, arguments: dict[str, Json]) -> Json:
    return arguments["x"]


class Interrupted(BaseException):
    """Raised in a thread by another, at any point."""


class Load:
    """Calls from several threads, as long as it is entered, and what each came to."""

    def __init__(self, sandbox: Sandbox, chance: random.Random, callers: int = 4) -> None:
        self._sandbox = sandbox
        self._chance = chance
        self._stop = threading.Event()
        self._seeds = [chance.randrange(1 << 32) for _ in range(callers)]
        self.threads = [
            threading.Thread(target=self._call_on, args=(seed,), daemon=True)
            for seed in self._seeds
        ]
        self.ends: Counter[str] = Counter()
        """How many were `spared`, `hit`, `unavailable` and `interrupted`."""
        self.wrong: list[str] = []
        self.longest_s = 0.0

    def __enter__(self) -> Self:
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        until = time.monotonic() + ONE_CALL_S
        for thread in self.threads:
            thread.join(max(0, until - time.monotonic()))
        assert not any(thread.is_alive() for thread in self.threads), "a call hangs"
        assert not self.wrong
        assert self.longest_s < ONE_CALL_S

    def disturb(self, times: int, disturb: Callable[[], bool]) -> None:
        """Disturb, now in quick succession and now once calls have succeeded again.

        Args:
            times: How often.
            disturb: Returns whether there was something to disturb.
        """
        until = time.monotonic() + TOO_LONG_S
        while times:
            spared = self.ends["spared"]
            if self._chance.random() < 0.5:
                while self.ends["spared"] == spared:
                    time.sleep(0.01)
                    assert time.monotonic() < until, self.ends
            times -= disturb()
            assert time.monotonic() < until, self.ends
        assert self.ends["hit"] + self.ends["unavailable"] + self.ends["interrupted"], self.ends

    def _call_on(self, seed: int) -> None:
        chance = random.Random(seed)  # noqa: S311 - to be the same again
        while not self._stop.is_set():
            try:
                self._call(chance.choice(CASES), chance.randrange(1 << 32))
            except Interrupted:
                self.ends["interrupted"] += 1

    def _call(self, case: Case, x: int) -> None:
        begin = time.monotonic()
        try:
            outcome = self._sandbox.run(
                case.program, {"x": x}, tier=Tier.SANDBOX, limits=LIMITS, tools=echo
            )
        except SandboxUnavailableError:
            self.ends["unavailable"] += 1
        else:
            self._judge(case, x, outcome)
        finally:
            self.longest_s = max(self.longest_s, time.monotonic() - begin)

    def _judge(self, case: Case, x: int, outcome: Outcome) -> None:
        if outcome.status is case.end:
            self.ends["spared"] += 1
            if outcome.ok and outcome.value != x:
                self.wrong.append(f"{outcome.value} came back for {x}")
        elif outcome.status in DISTURBED:
            self.ends["hit"] += 1
        else:
            self.wrong.append(f"{case} ended with {outcome}")


def serves(sandbox: Sandbox, places: int) -> bool:
    """Whether so many calls can be under way at once, so that no place of the pool was lost."""
    all_there = threading.Barrier(places)

    def gateway(name: str, arguments: dict[str, Json]) -> Json:
        try:
            return all_there.wait(ONE_CALL_S)
        except threading.BrokenBarrierError:
            msg = "the others did not come"
            raise ToolCallError(msg) from None

    def call(number: int) -> Outcome:
        limits = Limits(wall_s=2 * ONE_CALL_S)
        return sandbox.run(
            ECHO.program, {"x": number}, tier=Tier.SANDBOX, limits=limits, tools=gateway
        )

    with ThreadPoolExecutor(places) as threads:
        return all(outcome.ok for outcome in threads.map(call, range(places)))


@pytest.fixture
def chance() -> random.Random:
    seed = os.environ.get("TOOLGUILD_SEED") or str(random.SystemRandom().randrange(1 << 32))
    print(f"TOOLGUILD_SEED={seed}")
    return random.Random(seed)  # noqa: S311 - to be the same again


@pytest.fixture
def through_engine(monkeypatch) -> None:
    """Have everything go through the engine, as with one on another machine."""
    monkeypatch.setattr("toolguild.sandbox.docker._shares_kernel", lambda prepared: False)


class TestLocal:
    @pytest.fixture
    def family(self, processes) -> Iterator[Callable[[], set[int]]]:
        """Give what a test starts below this process; all of it has to be gone in the end."""
        before = processes.children({os.getpid()})
        seen: set[tuple[int, str]] = set()

        def look() -> set[int]:
            own = processes.children({os.getpid()}) - before
            found = own | processes.below(own)
            seen.update(processes.identified(found))
            return found

        yield look
        numbers = {number for number, _ in seen}
        gone = processes.eventually(lambda: not processes.identified(numbers) & seen)
        assert gone, processes.described(processes.identified(numbers) & seen)

    def test_every_call_ends_while_processes_are_killed_or_stopped(self, chance, family) -> None:
        def disturb() -> bool:
            time.sleep(chance.uniform(0, 0.1))
            # Launcher, nursery, supervisor or child, whichever it is.
            victims = sorted(family())
            if victims:
                what = signal.SIGKILL if chance.random() < 0.9 else signal.SIGSTOP
                with contextlib.suppress(ProcessLookupError):
                    os.kill(chance.choice(victims), what)
            return bool(victims)

        with open_sandbox("local", size=2) as sandbox:
            with Load(sandbox, chance) as load:
                load.disturb(40, disturb)
            assert serves(sandbox, 2)
            family()

    # What an interrupt comes in the middle of cannot all be closed in order.
    @pytest.mark.filterwarnings("ignore::ResourceWarning")
    @pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
    def test_no_call_hangs_while_the_threads_that_call_are_interrupted(
        self, chance, family
    ) -> None:
        def disturb() -> bool:
            time.sleep(chance.uniform(0, 0.05))
            thread = ctypes.c_ulong(chance.choice(load.threads).ident)
            ctypes.pythonapi.PyThreadState_SetAsyncExc(thread, ctypes.py_object(Interrupted))
            family()
            return True

        with open_sandbox("local", size=2) as sandbox:
            with Load(sandbox, chance) as load:
                load.disturb(40, disturb)
            assert serves(sandbox, 2)
            family()


@pytest.fixture
def engine(docker_engine) -> Iterator[docker.APIClient]:
    with contextlib.closing(connect()) as client:
        yield client


class Containers:
    """Those of this process, without what other tests hold open."""

    def __init__(self, client: docker.APIClient) -> None:
        self._client = client
        self._before = set(self._all())

    def _all(self) -> list[str]:
        own = {"label": f"{LABEL}={Owner.current()}"}
        return [found["Id"] for found in self._client.containers(all=True, filters=own)]

    def now(self) -> list[str]:
        return sorted(set(self._all()) - self._before)

    def processes(self, processes) -> list[int]:
        """Return every process in them, as the host numbers it."""
        first = set()
        for container in self.now():
            with contextlib.suppress(NotFound):
                first.add(self._client.inspect_container(container)["State"]["Pid"])
        first.discard(0)
        return sorted(first | processes.below(first))


@pytest.mark.docker
class TestDocker:
    def test_every_call_ends_while_containers_are_killed_or_paused(
        self, chance, engine, processes
    ) -> None:
        containers = Containers(engine)

        def disturb() -> bool:
            time.sleep(chance.uniform(0, 0.2))
            victims = containers.now()
            if victims:
                # One that is paused is the hardest to get rid of.
                how = chance.choice([engine.kill, engine.kill, engine.pause])
                with contextlib.suppress(NotFound, APIError):  # it may be about to go anyway
                    how(chance.choice(victims))
            return bool(victims)

        with open_sandbox("docker", size=2) as sandbox:
            with Load(sandbox, chance) as load:
                load.disturb(15, disturb)
            assert serves(sandbox, 2)
        assert processes.eventually(lambda: not containers.now(), 30)

    def test_every_call_ends_while_processes_in_containers_are_killed(
        self, chance, engine, processes
    ) -> None:
        if os.geteuid() != 0:
            pytest.skip("only root can signal the processes of containers")
        containers = Containers(engine)

        def disturb() -> bool:
            time.sleep(chance.uniform(0, 0.1))
            victims = containers.processes(processes)
            if victims:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(chance.choice(victims), signal.SIGKILL)
            return bool(victims)

        with open_sandbox("docker", size=2) as sandbox:
            with Load(sandbox, chance) as load:
                load.disturb(15, disturb)
            assert serves(sandbox, 2)
        assert processes.eventually(lambda: not containers.now(), 30)

    def test_calls_go_on_while_the_way_to_the_engine_breaks(
        self, chance, engine, relay, processes
    ) -> None:
        containers = Containers(engine)
        with open_sandbox("docker", size=2) as sandbox:
            assert serves(sandbox, 2)
            with Load(sandbox, chance) as load:
                for _ in range(5):
                    time.sleep(chance.uniform(0, 0.5))
                    relay.cut()
            assert set(load.ends) == {"spared"}
        assert processes.eventually(lambda: not containers.now(), 30)

    def test_every_call_ends_while_all_goes_through_the_engine_and_that_way_breaks(
        self, chance, engine, relay, processes, through_engine
    ) -> None:
        containers = Containers(engine)

        def disturb() -> bool:
            time.sleep(chance.uniform(0, 0.5))
            return relay.cut() > 0

        with open_sandbox("docker", size=2) as sandbox:
            with Load(sandbox, chance) as load:
                load.disturb(15, disturb)
            assert serves(sandbox, 2)
        assert processes.eventually(lambda: not containers.now(), 30)

    def test_an_engine_that_goes_away_is_unavailable_and_not_waited_for(
        self, chance, relay, through_engine
    ) -> None:
        with open_sandbox("docker", size=1) as sandbox:
            assert serves(sandbox, 1)
            with Load(sandbox, chance) as load:
                time.sleep(chance.uniform(0, 0.5))
                relay.close()
                time.sleep(1)
            assert load.ends["unavailable"]
            with pytest.raises(SandboxUnavailableError, match="docker info"):
                serves(sandbox, 1)


class Relay:
    """A way to the engine that can be cut, without disturbing anybody else's."""

    def __init__(self, path: Path, engine: Path) -> None:
        self._engine = str(engine)
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

    def cut(self) -> int:
        """Break every connection there is, and return how many those were."""
        with self._lock:
            broken, self._open = self._open, []
        for end in broken:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()
        return len(broken) // 2

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
    # Not in pytest's folder: the path of a unix socket has 107 characters at most.
    with tempfile.TemporaryDirectory() as folder:
        made = Relay(Path(folder, "engine"), path)
        monkeypatch.setenv("DOCKER_HOST", f"unix://{folder}/engine")
        yield made
        made.close()


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


@pytest.mark.parametrize("turn", range(6))
def test_whenever_our_own_process_is_killed_nothing_is_left(
    kind, turn, chance, processes, request
) -> None:
    command = [sys.executable, "-c", OWNER, kind]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as host:
        assert host.stdout
        owner = host.stdout.readline().decode().strip()
        time.sleep(chance.uniform(0, 0.3 * turn))
        family = processes.identified(processes.below({host.pid}))
        host.kill()
    numbers = {number for number, _ in family}
    assert processes.eventually(lambda: not processes.identified(numbers) & family, 20)
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
