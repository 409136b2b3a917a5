"""The one interface behind which every sandbox stands."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import TracebackType
from typing import Self, TypeAlias

from toolguild.policies import Capability, Profile, Tier, load_profile
from toolguild.sandbox.access import NOTHING, Access, FileChange

__all__ = ["Json", "JsonObject", "Limits", "Outcome", "Program", "Sandbox", "Status", "ToolGateway"]

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"
JsonObject: TypeAlias = dict[str, Json]

ToolGateway: TypeAlias = Callable[[str, JsonObject], Json]
"""Answers `call_tool(name, arguments)` of the program; raises `ToolCallError` to fail the call."""


class Status(StrEnum):
    """How a run ended. Only `OK` carries a value."""

    OK = "ok"
    ERROR = "error"
    """The program raised an exception."""
    TIMEOUT = "timeout"
    MEMORY = "memory"
    OUTPUT_LIMIT = "output_limit"
    KILLED = "killed"
    """The program's process died: a crash, a signal, or an exit of its own."""
    REFUSED = "refused"
    """The sandbox would not start the program, or it asked for something outside its tier."""


@dataclass(frozen=True, slots=True)
class Program:
    """The text of one Python module and the name of the function in it to call."""

    source: str
    entry: str
    walled: bool = True
    """Whether the inner wall stands around it in the tier `sandbox`; without, the isolation alone.

    False only for what toolguild itself instruments: recorded sessions that it runs again.
    """
    needs: frozenset[Capability] = frozenset()
    """What it must be able to do; a run gets of it what its tier allows (see `access.reach`)."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What one run may use; each limit is enforced from outside the program's process."""

    wall_s: float = 5.0
    """Seconds of wall-clock time, `call_tool` included."""
    memory_mb: int = 256
    """Mebibytes of memory above what the interpreter itself needs."""
    output_bytes: int = 1_000_000
    """Bytes of the encoded result, and apart from it of stdout."""
    processes: int = 16
    """Processes and threads alive at once."""
    workspace_mb: int = 16
    """Mebibytes that its workspace holds, with what is in it at the start; and apart from it as
    many for scratch files."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one run ended, told by the host and not by the program."""

    status: Status
    value: Json = None
    error: str = ""
    """`Type: message` of the exception for `ERROR`, otherwise a sentence for a person."""
    stdout: str = ""
    duration_s: float = 0.0
    effects: frozenset[Capability] = field(default_factory=frozenset)
    """Capabilities that the run was seen to use or to ask for."""
    changes: tuple[FileChange, ...] = ()
    """What it did to the files of its workspace, by path; carried out where the run succeeded and
    its tier may write, and only reported otherwise."""
    left_out: tuple[str, ...] = ()
    """What it left in its workspace that cannot come back, each with the reason: links, special
    files, names that are no text."""
    hosts: tuple[str, ...] = ()
    """Hosts that it asked to be connected to, as `name:port`, refused ones included."""

    @property
    def ok(self) -> bool:
        """Whether the program returned a value."""
        return self.status is Status.OK


class Sandbox(ABC):
    """Runs one program at a time per worker, under the capabilities of a tier.

    Safe to share between threads. Use as a context manager: leaving it ends every process.
    """

    name: str
    """The backend: `docker`, `local` or `scripted`."""

    @property
    def profile(self) -> Profile:
        """What its wall goes by: the default profile, unless it was opened with another."""
        return load_profile()

    @property
    @abstractmethod
    def level(self) -> str:
        """What isolation is in force, for example `userns+landlock+seccomp`; kept with evidence."""

    @abstractmethod
    def run(
        self,
        program: Program,
        arguments: Mapping[str, Json],
        *,
        tier: Tier,
        limits: Limits = Limits(),
        tools: ToolGateway | None = None,
        access: Access = NOTHING,
    ) -> Outcome:
        """Call the program's entry with the arguments as keywords, in a process of its own.

        Nothing of an earlier run is visible to it. The program may call the injected global
        `call_tool(name, arguments)`, answered on the host by `tools`; without `tools` every such
        call fails. Of what `access` gives it gets what it needs and the tier allows.

        Raises:
            SandboxUnavailableError: the sandbox itself cannot run programs, or cannot give this
                one what it is to have.
        """

    @abstractmethod
    def close(self) -> None:
        """End every process of the sandbox; closing twice is harmless."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()
