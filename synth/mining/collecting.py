"""Reading and mining without Python's search for garbage."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["nothing_collected"]


@contextmanager
def nothing_collected() -> Iterator[None]:
    """Do without the search for reference cycles in a block that makes none worth freeing.

    It would look through all runs that are being read or mined again and again, which takes about
    as long as mining them.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
