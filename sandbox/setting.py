"""What a worker is made for besides the limits: the same for all runs that it serves."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from toolguild.policies import Capability
from toolguild.sandbox.access import SCRATCH, WORKSPACE, Mount, Reach
from toolguild.sandbox.base import Limits
from toolguild.sandbox.errors import SandboxUnavailableError

__all__ = ["BARE", "NOBODY", "Identity", "Setting", "require_free", "require_readable"]


@dataclass(frozen=True, slots=True)
class Setting:
    """What programs find around them; where two settings are equal, one worker does for both."""

    capabilities: frozenset[Capability] = frozenset()
    mounts: tuple[Mount, ...] = ()
    workspace_mb: int = 0
    """Mebibytes of each file system that they may write to, 0 where there is none."""

    @property
    def network(self) -> bool:
        """Whether they can ask to be connected to hosts."""
        return Capability.NETWORK in self.capabilities

    @classmethod
    def of(cls, reached: Reach, limits: Limits) -> Setting:
        """Return what a run needs that is to get something under some limits."""
        if not reached.capabilities:
            return BARE
        writes = Capability.WRITE in reached.capabilities
        return cls(reached.capabilities, reached.mounts, limits.workspace_mb if writes else 0)

    @property
    def writable(self) -> tuple[str, ...]:
        """Where there is a file system to write to, the workspace first."""
        return (WORKSPACE, SCRATCH) if self.workspace_mb else ()

    def inside(self) -> dict[str, Any]:
        """Return what `worker.main` is told of it."""
        places = {*self.writable, *(mount.target for mount in self.mounts)}
        return {
            "folder": WORKSPACE if WORKSPACE in places else "/",
            "writable": self.writable,
            "workspace_bytes": self.workspace_mb << 20,
            "network": self.network,
        }


BARE = Setting()
"""For programs that need nothing."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Whom the host takes the programs of a worker for."""

    user: int
    group: int
    others: frozenset[int] = frozenset()
    """Further groups that it belongs to."""

    @classmethod
    def of_caller(cls) -> Identity:
        """Return who we are."""
        return cls(os.geteuid(), os.getegid(), frozenset(os.getgroups()))

    def can_read(self, info: os.stat_result) -> bool:
        """Whether the mode of a directory lets it be listed and entered."""
        wanted = stat.S_IROTH | stat.S_IXOTH
        if info.st_uid == self.user:
            wanted <<= 6
        elif info.st_gid == self.group or info.st_gid in self.others:
            wanted <<= 3
        return info.st_mode & wanted == wanted


NOBODY = Identity(65534, 65534)
"""Nobody in particular, who owns nothing."""


def require_free(setting: Setting, taken: Iterable[str]) -> None:
    """Make sure that nothing has to be shown where something else already is.

    Args:
        setting: What programs are to find.
        taken: Paths inside of what they cannot do without.

    Raises:
        SandboxUnavailableError: one of them would be hidden, or lies above.
    """
    paths = [PurePosixPath(path) for path in taken]
    for place in (*setting.writable, *(mount.target for mount in setting.mounts)):
        for path in paths:
            if path.is_relative_to(place) or PurePosixPath(place).is_relative_to(path):
                msg = f"The sandbox cannot show anything at {place}: {path} is there."
                raise SandboxUnavailableError(msg)


def require_readable(mounts: Iterable[Mount], identity: Identity) -> None:
    """Make sure that programs can enter what they are to be shown; what is below is not looked at.

    Raises:
        SandboxUnavailableError: they cannot, or it is gone.
    """
    for mount in mounts:
        try:
            info = mount.source.stat()
        except OSError as error:
            msg = f"The sandbox cannot show {mount.source}: {error}."
            raise SandboxUnavailableError(msg) from error
        if not identity.can_read(info):
            msg = (
                f"The sandbox cannot show {mount.source}: its programs run as user "
                f"{identity.user}, whom its mode {stat.filemode(info.st_mode)} keeps out. Let that "
                f"user read it, for example with `chmod -R o+rX {mount.source}`."
            )
            raise SandboxUnavailableError(msg)
