"""What a run may reach outside its own memory, and who decides it.

A program needs something, its tier allows something, and its caller gives something of his own: a
run gets what all three agree on. In the tier `sandbox` a program that needs to write gets a
workspace that is thrown away.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path, PurePosixPath

from toolguild.policies import Capability, Tier
from toolguild.sandbox.files.tree import path_fault

__all__ = ["NOTHING", "SCRATCH", "WORKSPACE", "Access", "FileChange", "Mount", "Reach", "reach"]

WORKSPACE = "/workspace"
"""Where a program finds its workspace; the directory that it starts in where it has one."""
SCRATCH = "/tmp"  # noqa: S108 - a program's own, in a file system of its own
"""Where a program that may write finds room for files that nobody gets to see."""

_TAKEN = (
    "/bin", "/boot", "/dev", "/etc", "/lib", "/lib64", "/proc", "/root", "/run", "/sbin", "/sys",
    "/usr", "/var", SCRATCH, WORKSPACE,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Mount:
    """A directory of the host that programs see, to read only."""

    source: Path
    """The directory; taken as absolute, with its symbolic links resolved."""
    target: str
    """Where programs see it: an absolute path outside the system's own folders."""

    def __post_init__(self) -> None:
        """Settle the source, and check both.

        Raises:
            ValueError: the source is no directory, or nothing can be shown at the target.
        """
        source, target = Path(self.source).resolve(), PurePosixPath(self.target)
        if not source.is_dir():
            msg = f"cannot mount {self.source}: it is no directory"
            raise ValueError(msg)
        absolute = self.target.startswith("/")
        if fault := path_fault(self.target[1:]) if absolute else "it is no absolute path":
            msg = f"cannot mount at {self.target!r}: {fault}"
            raise ValueError(msg)
        if any(target.is_relative_to(taken) for taken in _TAKEN):
            msg = f"cannot mount at {self.target}: that place is the sandbox's own"
            raise ValueError(msg)
        object.__setattr__(self, "source", source)

    @classmethod
    def of_workspace(cls, workspace: Path) -> Mount:
        """Return the mount that shows a workspace to programs that only read.

        Raises:
            ValueError: it is no directory.
        """
        mount = cls(workspace, "/placeholder")
        object.__setattr__(mount, "target", WORKSPACE)
        return mount


@dataclass(frozen=True, slots=True)
class Access:
    """What of his world a caller gives to the programs that he runs."""

    mounts: tuple[Mount, ...] = ()
    """Directories to read, for programs that need to read."""
    workspace: Path | None = None
    """A directory of the caller's for programs that need to write: they work on a copy of it at
    `WORKSPACE`, and what they changed is carried out here if the run succeeded and its tier allows
    it. Programs that only read see it as it is."""
    hosts: frozenset[str] | None = frozenset()
    """Hosts that programs may connect to that need the network: `example.org` (ports 80 and 443),
    `example.org:8443`, `*.example.org` (without `example.org` itself); None for all public ones."""

    def __post_init__(self) -> None:
        """Settle the workspace, and check what is given together.

        Raises:
            ValueError: the workspace is no directory, one mount would lie in another, or an entry
                of the hosts is none.
        """
        targets = sorted(PurePosixPath(mount.target) for mount in self.mounts)
        for upper, lower in pairwise(targets):
            # In this order, whatever lies in a directory comes right after it.
            if lower.is_relative_to(upper):
                msg = f"cannot mount at {lower}: {upper} is mounted there already"
                raise ValueError(msg)
        if self.workspace is not None:
            workspace = Path(self.workspace).resolve()
            if not workspace.is_dir():
                msg = f"cannot use {self.workspace} as a workspace: it is no directory"
                raise ValueError(msg)
            object.__setattr__(self, "workspace", workspace)
        if self.hosts:
            # Imported only here: most runs have no use for it.
            from toolguild.sandbox.network.hosts import parse_hosts

            parse_hosts(self.hosts)


NOTHING = Access()


@dataclass(frozen=True, slots=True)
class Reach:
    """What one run gets."""

    capabilities: frozenset[Capability] = frozenset()
    mounts: tuple[Mount, ...] = ()
    workspace: Path | None = None
    """Where the files come from that a program which may write finds in its workspace."""
    kept: bool = False
    """Whether what it changes there is carried out on the host."""
    hosts: frozenset[str] | None = frozenset()


_OUT_OF_REACH = Reach()


@dataclass(frozen=True, slots=True)
class FileChange:
    """One file of a workspace that a run made, changed or removed."""

    path: str
    """Relative to the workspace, with slashes."""
    content: bytes | None
    """What is in it now; None where it was removed."""


def reach(needs: Iterable[Capability], tier: Tier, access: Access) -> Reach:
    """Return what a program gets that needs something, at a tier, of what its caller gives."""
    capabilities = frozenset(needs) & (tier.capabilities | {Capability.WRITE})
    if access.hosts is not None and not access.hosts:
        capabilities -= {Capability.NETWORK}
    if not capabilities:
        return _OUT_OF_REACH
    writes = Capability.WRITE in capabilities
    mounts: tuple[Mount, ...] = ()
    if Capability.READ in capabilities:
        mounts = access.mounts
        if access.workspace and not writes:
            mounts = (*mounts, Mount.of_workspace(access.workspace))
    return Reach(
        capabilities,
        mounts,
        access.workspace if writes else None,
        kept=writes and access.workspace is not None and Capability.WRITE in tier.capabilities,
        hosts=access.hosts if Capability.NETWORK in capabilities else frozenset(),
    )
