"""Directories of the host's that sandboxes are shown, with files in them that connect the two.

Others on the machine do not get at them: what is shown lies in a directory that is ours alone.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from functools import cache
from pathlib import Path

from toolguild.sandbox.owner import Owner

__all__ = ["ShownDirectory", "remove_orphans"]

_OWNER = "owner"
_SHOWN = "shown"


class ShownDirectory:
    """A directory of ours with one in it, `path`, that may be shown inside."""

    def __init__(self, prefix: str) -> None:
        """Make it.

        Args:
            prefix: What its name begins with, the same for all that serve one purpose.

        Raises:
            OSError: there is no room for it.
        """
        remove_orphans(prefix)
        self._private = Path(tempfile.mkdtemp(prefix=prefix))
        (self._private / _OWNER).write_text(str(Owner.current()), encoding="utf-8")
        self.path = self._private / _SHOWN
        self.path.mkdir()
        # For whatever identity the sandbox has.
        self.path.chmod(0o711)

    def remove(self) -> None:
        """Remove it with everything in it; what shows it goes on doing so."""
        shutil.rmtree(self._private, ignore_errors=True)


@cache
def remove_orphans(prefix: str) -> None:
    """Remove, once for each process, what processes that have ended left behind."""
    for private in Path(tempfile.gettempdir()).glob(f"{prefix}*"):
        with contextlib.suppress(OSError):
            # Names like ours may be somebody else's, with who knows what in it.
            if private.lstat().st_uid != os.geteuid():
                continue
            owner = Owner.parse((private / _OWNER).read_text(encoding="utf-8"))
            if owner and owner.surely_gone:
                shutil.rmtree(private, ignore_errors=True)
