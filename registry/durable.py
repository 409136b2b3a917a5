"""Making sure that a file which was made or moved is still there after a crash."""

from __future__ import annotations

import os
from pathlib import Path

__all__ = ["sync_folder"]


def sync_folder(folder: Path) -> None:
    """Return once the entries of a folder are on the disk, as `fsync` does for a file's bytes.

    Raises:
        OSError: the folder cannot be opened, or the disk failed.
    """
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
