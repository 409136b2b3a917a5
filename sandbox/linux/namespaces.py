"""Namespaces: a process that sees neither the host's files, nor its processes, nor its network.

Works without privileges where the kernel lets users make user namespaces. The new root holds a
few read-only binds and nothing else; there is no /proc in it.
"""

from __future__ import annotations

import ctypes
import os
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from toolguild.sandbox.linux.kernel import (
    drop_capabilities,
    mount,
    syscall,
    unmount_lazily,
    unshare,
)

__all__ = ["NOBODY", "Root", "enter", "give_up_identity"]

NOBODY = 65534
"""User and group inside the namespace; outside it the same where we are root, else our own."""

# From include/uapi/linux/sched.h.
_NEW_MOUNTS = 0x00020000
_NEW_CGROUP = 0x02000000
_NEW_UTS = 0x04000000
_NEW_IPC = 0x08000000
_NEW_USER = 0x10000000
_NEW_PIDS = 0x20000000
_NEW_NETWORK = 0x40000000

# From include/uapi/linux/mount.h.
_MS_NOSUID, _MS_NODEV, _MS_NOEXEC = 2, 4, 8
_MS_BIND, _MS_REC, _MS_PRIVATE = 4096, 16384, 1 << 18
_ATTR_RDONLY, _ATTR_NOSUID, _ATTR_NODEV, _ATTR_NOEXEC = 1, 2, 4, 8
_AT_RECURSIVE = 0x8000

_PIVOT_ROOT = {"x86_64": 155, "aarch64": 41}
_MOUNT_SETATTR = 442  # the same on every architecture

_OLD = "/.old"


def enter() -> None:
    """Move into new namespaces of every kind; a child forked next is pid 1 of its own.

    Raises:
        OSError: the kernel, or a policy such as AppArmor's, does not let us.
    """
    user, group = os.geteuid(), os.getegid()
    flags = _NEW_MOUNTS | _NEW_CGROUP | _NEW_UTS | _NEW_IPC | _NEW_USER | _NEW_PIDS | _NEW_NETWORK
    if user != 0:
        unshare(flags)
        _write("/proc/self/setgroups", "deny")
        _write("/proc/self/uid_map", f"{NOBODY} {user} 1")
        _write("/proc/self/gid_map", f"{NOBODY} {group} 1")
        return
    # Root stays mapped until the new root is built, to reach an interpreter in a home of root's.
    _unshare_mapped_from_outside(flags, f"0 0 1\n{NOBODY} {NOBODY} 1\n")


def _unshare_mapped_from_outside(flags: int, identities: str) -> None:
    """Unshare with a map of several lines, which only a process outside may write."""
    process = os.getpid()
    waiting, go = os.pipe()
    writer = os.fork()
    if writer == 0:
        code = 1
        try:
            os.close(go)
            if os.read(waiting, 1):
                _write(f"/proc/{process}/uid_map", identities)
                _write(f"/proc/{process}/gid_map", identities)
                code = 0
        except OSError as error:
            code = error.errno or code
        finally:
            os._exit(code)
    os.close(waiting)
    try:
        unshare(flags)
        os.write(go, b"1")
    finally:
        os.close(go)
        code = os.waitstatus_to_exitcode(os.waitpid(writer, 0)[1])
    if code:
        raise OSError(code, f"mapping users into the namespace: {os.strerror(code)}")


def _write(path: str, text: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
    try:
        os.write(descriptor, text.encode())
    finally:
        os.close(descriptor)


def give_up_identity() -> None:
    """Become nobody, and lose every capability over the namespaces too."""
    if os.geteuid() == 0:
        os.setgroups([])
        os.setresgid(NOBODY, NOBODY, NOBODY)
        os.setresuid(NOBODY, NOBODY, NOBODY)
    drop_capabilities()


@dataclass(frozen=True, slots=True)
class Root:
    """What there is to be in a root of its own."""

    files: Sequence[str]
    """Real paths of files and directories to show at the same place."""
    devices: Sequence[str]
    """Paths of device nodes to show."""
    links: Mapping[str, str]
    """Symbolic links to make: path and target."""
    mounts: Sequence[tuple[str, str]] = ()
    """Directories to show, to read only: where they are, and where they are to be seen."""
    writable: Sequence[str] = ()
    """Where there is to be an empty file system to write to, each of its own."""
    writable_bytes: int = 0
    """What each of these holds."""
    writable_entries: int = 0
    """How many files and folders each of these holds."""

    def build(self) -> None:
        """Replace the root of this process.

        Raises:
            OSError: a mount was refused.
        """
        mount("none", "/", None, _MS_REC | _MS_PRIVATE)
        # What lies in the host's /tmp stays within reach: once it is the root, this mount no
        # longer covers it, and the old root shows it as it is.
        options = "mode=0755,size=64k,nr_inodes=4k"
        mount("tmpfs", "/tmp", "tmpfs", _MS_NOSUID | _MS_NODEV, options)  # noqa: S108 - not as a temporary file
        Path("/tmp", _OLD[1:]).mkdir()  # noqa: S108 - as above
        syscall(_PIVOT_ROOT[os.uname().machine], b"/tmp", b"/tmp" + _OLD.encode())
        os.chdir("/")
        for link, target in self.links.items():
            Path(link).parent.mkdir(parents=True, exist_ok=True)
            Path(link).symlink_to(target)
        for path in self.files:
            _bind(path, path, _ATTR_RDONLY | _ATTR_NOSUID | _ATTR_NODEV)
        for path in self.devices:
            _bind(path, path, _ATTR_RDONLY | _ATTR_NOSUID)
        for source, target in self.mounts:
            self._show(source, target)
        for path in self.writable:
            Path(path).mkdir()
        unmount_lazily(_OLD)
        Path(_OLD).rmdir()
        _set_attributes("/", _ATTR_RDONLY | _ATTR_NOSUID)
        for path in self.writable:
            self._mount_writable(path)

    @staticmethod
    def _show(source: str, target: str) -> None:
        try:
            _bind(source, target, _ATTR_RDONLY | _ATTR_NOSUID | _ATTR_NODEV | _ATTR_NOEXEC)
        except PermissionError as error:
            # Not even root, who in a namespace is root of its own files only, can go there.
            why = "it cannot be shown, as a folder above it is another user's and closed to others"
            raise PermissionError(error.errno, why, source) from error

    def _mount_writable(self, path: str) -> None:
        # One more entry, for the file system's own root.
        limits = f"size={self.writable_bytes},nr_inodes={self.writable_entries + 1}"
        options = f"{limits},mode=0700,uid={NOBODY},gid={NOBODY}"
        mount("tmpfs", path, "tmpfs", _MS_NOSUID | _MS_NODEV | _MS_NOEXEC, options)


def _bind(source: str, target: str, attributes: int) -> None:
    """Show a path of the old root in the new one."""
    source = _OLD + source
    if Path(source).is_dir():
        Path(target).mkdir(parents=True, exist_ok=True)
    else:
        Path(target).parent.mkdir(parents=True, exist_ok=True)
        Path(target).touch()
    mount(source, target, None, _MS_BIND | _MS_REC)
    _set_attributes(target, attributes)


def _set_attributes(path: str, attributes: int) -> None:
    # mount_setattr rather than a remount: it reaches the mounts below, and keeps what is locked.
    settings = struct.pack("=QQQQ", attributes, 0, 0, 0)
    syscall(
        _MOUNT_SETATTR, -100, path.encode(), _AT_RECURSIVE, settings, ctypes.c_size_t(len(settings))
    )
