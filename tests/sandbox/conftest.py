"""One sandbox of each real kind for all the tests here, and short ways to use it."""

from __future__ import annotations

import contextlib
import tempfile
import textwrap
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Protocol

import pytest

from toolguild.policies import Capability, Tier
from toolguild.sandbox import (
    Access,
    Json,
    Limits,
    Outcome,
    Program,
    Sandbox,
    SandboxUnavailableError,
    ToolGateway,
    open_sandbox,
)
from toolguild.sandbox.access import NOTHING

KINDS = ["local", pytest.param("docker", marks=pytest.mark.docker)]
QUICK = Limits(wall_s=10)


class Run(Protocol):
    """Runs a program text, by default its `tool()`."""

    def __call__(
        self,
        source: str,
        arguments: Mapping[str, Json] | None = None,
        *,
        limits: Limits = QUICK,
        tools: ToolGateway | None = None,
        tier: Tier = Tier.SANDBOX,
        needs: Iterable[Capability] = (),
        access: Access = NOTHING,
    ) -> Outcome: ...


def runner(sandbox: Sandbox) -> Run:
    def run(
        source: str,
        arguments: Mapping[str, Json] | None = None,
        *,
        limits: Limits = QUICK,
        tools: ToolGateway | None = None,
        tier: Tier = Tier.SANDBOX,
        needs: Iterable[Capability] = (),
        access: Access = NOTHING,
    ) -> Outcome:
        # Without the wall: what these tests are about is the isolation.
        program = Program(textwrap.dedent(source), "tool", walled=False, needs=frozenset(needs))
        return sandbox.run(
            program, arguments or {}, tier=tier, limits=limits, tools=tools, access=access
        )

    return run


@pytest.fixture(scope="session")
def docker_engine() -> None:
    """Skip where no Docker engine answers."""
    from toolguild.sandbox.engine import connect

    try:
        connect(timeout_s=5).close()
    except SandboxUnavailableError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="session", params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    if request.param == "docker":
        request.getfixturevalue("docker_engine")
    return str(request.param)


@pytest.fixture(scope="session")
def sandbox(kind: str) -> Iterator[Sandbox]:
    with open_sandbox("docker" if kind == "docker" else "local") as opened:
        yield opened


@pytest.fixture(scope="session")
def run(sandbox: Sandbox) -> Run:
    return runner(sandbox)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A directory that others than its owner may read, as those of pytest may not."""
    made = tmp_path / "shared"
    made.mkdir()
    made.chmod(0o755)
    return made


@pytest.fixture
def own_tempdir(monkeypatch) -> Iterator[Path]:
    """Where temporary files are made for one test, with none of those of tests beside it.

    Not in pytest's folder: the path of a unix socket has 107 characters at most.
    """
    with tempfile.TemporaryDirectory(prefix="tg-") as folder:
        monkeypatch.setattr(tempfile, "tempdir", folder)
        yield Path(folder)


class Processes:
    """What /proc says about processes; zombies count as gone."""

    @staticmethod
    def parents() -> dict[int, int]:
        """Return the parent of every process."""
        found = {}
        for stat in Path("/proc").glob("[0-9]*/stat"):
            with contextlib.suppress(OSError):  # it may have ended in the meantime
                state, parent = stat.read_text().rpartition(")")[2].split()[:2]
                if state not in "ZX":
                    found[int(stat.parent.name)] = int(parent)
        return found

    @classmethod
    def children(cls, parents: set[int]) -> set[int]:
        """Return the processes that some started themselves."""
        return {process for process, parent in cls.parents().items() if parent in parents}

    @classmethod
    def below(cls, ancestors: set[int]) -> set[int]:
        """Return every process below some."""
        parents = cls.parents()
        found: set[int] = set()
        while more := {p for p, parent in parents.items() if parent in found | ancestors} - found:
            found |= more
        return found

    @staticmethod
    def alive(pids: set[int]) -> set[int]:
        """Return those that still run."""
        living = set()
        for pid in pids:
            with contextlib.suppress(OSError):
                if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX":
                    living.add(pid)
        return living

    @staticmethod
    def identified(pids: set[int]) -> set[tuple[int, str]]:
        """Return those that still run, each with when it started: numbers are used again."""
        found = set()
        for pid in pids:
            with contextlib.suppress(OSError):
                fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
                if fields[0] not in "ZX":
                    found.add((pid, fields[19]))
        return found

    @staticmethod
    def described(identified: set[tuple[int, str]]) -> list[str]:
        """Return what each is, is doing and belongs to, to be told where one should be gone."""
        told = []
        for pid, started in sorted(identified):
            with contextlib.suppress(OSError):
                found = Path(f"/proc/{pid}")
                command = (found / "cmdline").read_bytes().replace(b"\0", b" ").decode()
                stat = (found / "stat").read_text().rpartition(")")[2].split()
                where = (found / "wchan").read_text()
                told.append(
                    f"{pid} (started {started}, state {stat[0]}, parent {stat[1]}, "
                    f"in {where}): {command[:200]}"
                )
        return told

    @staticmethod
    def eventually(condition: Callable[[], bool], within_s: float = 10) -> bool:
        """Return whether a condition comes true before a generous deadline."""
        until = time.monotonic() + within_s
        while not condition() and time.monotonic() < until:
            time.sleep(0.02)
        return condition()


@pytest.fixture(scope="session")
def processes() -> Processes:
    return Processes()
