"""The container's ends of the named pipes that lead past the engine; see `pipes`."""

from __future__ import annotations

import os
import select

from toolguild.sandbox.frames import encode_frame

__all__ = ["FOLDER", "FROM_HOST", "TO_HOST", "open_pipes"]

FOLDER = "/run/toolguild"
"""Where a container finds them."""
FROM_HOST, TO_HOST = "from-host", "to-host"

_STDOUT = 1
_PATIENCE_MS = 5000


def open_pipes() -> tuple[int, int] | None:
    """Open them and agree on that with the host; return the ends to read and to write.

    Returns:
        None where they do not lead there: a machine of its own may lie between, which shares files
        but no pipes.
    """
    opened = []
    try:
        opened.append(os.open(f"{FOLDER}/{FROM_HOST}", os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC))
        # Fails unless the host has it open.
        opened.append(os.open(f"{FOLDER}/{TO_HOST}", os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC))
    except OSError:
        for descriptor in opened:
            os.close(descriptor)
        return None
    os.write(_STDOUT, encode_frame({"kind": "pipes"}))
    from_host, to_host = opened
    poll = select.poll()
    # Before that, reading would seem to have come to the end.
    poll.register(from_host, select.POLLIN)
    if not poll.poll(_PATIENCE_MS) or not os.read(from_host, 1):
        raise TimeoutError("the host does not open its pipes")  # noqa: EM101 - no variable part
    for descriptor in opened:
        os.set_blocking(descriptor, True)
    return from_host, to_host
