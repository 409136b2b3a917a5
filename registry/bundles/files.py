"""Bundles as files: read with a bound, written whole or not at all."""

from __future__ import annotations

import os
import stat
import tempfile
from pathlib import Path

from toolguild.registry.bundles.envelope import MAX_ENVELOPE_BYTES
from toolguild.registry.bundles.errors import BundleError
from toolguild.registry.durable import sync_folder

__all__ = ["check_target", "read_bundle", "write_bundle"]


def read_bundle(path: Path) -> bytes:
    """Return the bytes of a bundle.

    Raises:
        BundleError: it cannot be read, is no ordinary file, or is larger than any bundle may be.
    """
    try:
        # Without waiting: opening a pipe that nobody writes to would never return.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                msg = f"{path}: not an ordinary file; give the file of a bundle"
                raise BundleError(msg)
            data = file.read(MAX_ENVELOPE_BYTES + 1)
    except OSError as error:
        msg = f"{path}: {error.strerror or error}; give the file of a bundle"
        raise BundleError(msg) from error
    if len(data) > MAX_ENVELOPE_BYTES:
        msg = f"{path}: larger than {MAX_ENVELOPE_BYTES:,} bytes, which no bundle may be"
        raise BundleError(msg)
    return data


def check_target(path: Path, *, force: bool) -> None:
    """Refuse to write where something else stands.

    Args:
        path: Where a bundle is to be written.
        force: Whether an ordinary file there may be replaced.

    Raises:
        BundleError: the message says what stands there.
    """
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        if not path.parent.is_dir():
            msg = f"{path}: there is no folder {path.parent}; make it, or name another"
            raise BundleError(msg) from None
        return
    except (OSError, ValueError) as error:
        msg = f"{path}: {getattr(error, 'strerror', None) or error}; name another file"
        raise BundleError(msg) from error
    if not stat.S_ISREG(mode):
        msg = f"{path}: not an ordinary file, and not replaced; name another"
        raise BundleError(msg)
    if not force:
        msg = f"{path} exists; name another file, or give --force to replace it"
        raise BundleError(msg)


def write_bundle(path: Path, data: bytes, *, force: bool = False) -> None:
    """Write a bundle beside its place and move it there; only its owner can read it.

    Raises:
        BundleError: something stands there, or it cannot be written; then nothing is left of it.
    """
    check_target(path, force=force)
    try:
        descriptor, name = tempfile.mkstemp(
            dir=path.parent, prefix=f".{path.name[:100]}.", suffix=".part"
        )
        beside = Path(name)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            beside.replace(path)
        except BaseException:
            beside.unlink(missing_ok=True)
            raise
        sync_folder(path.parent)
    except OSError as error:
        msg = f"{path}: {error.strerror or error}; nothing was written"
        raise BundleError(msg) from error
