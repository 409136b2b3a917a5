"""Named pipes between the host and a container, past the engine.

What goes over an attached connection, the engine reads and writes again: that takes longer than
most programs run. So a container whose engine runs on this machine is shown two pipes. It opens
them first of all; then they lose their names, and nobody else can.
"""

from __future__ import annotations

import os
from typing import IO

from toolguild.sandbox.attached import AttachedChannel
from toolguild.sandbox.channel import PipeChannel
from toolguild.sandbox.inside.inner_pipes import FROM_HOST, TO_HOST
from toolguild.sandbox.shown import ShownDirectory

__all__ = ["DirectChannel", "Pipes"]

_PREFIX = "toolguild-pipes-"


class Pipes:
    """Both pipes, to be shown in one container's `inner_pipes.FOLDER`."""

    def __init__(self) -> None:
        """Make them.

        Raises:
            OSError: there is no room for them, or no such thing here.
        """
        self._shown = ShownDirectory(_PREFIX)
        self.directory = self._shown.path
        try:
            for name in (FROM_HOST, TO_HOST):
                os.mkfifo(self.directory / name)
                # For whatever identity the container has.
                (self.directory / name).chmod(0o666)
            # First of all: where nobody reads, the other side cannot open it.
            number = os.open(self.directory / TO_HOST, os.O_RDONLY | os.O_NONBLOCK)
            self._read = os.fdopen(number, "rb", buffering=0)
        except BaseException:
            self._shown.remove()
            raise
        self._is_connected = False

    def connect(self, attached: AttachedChannel) -> DirectChannel:
        """Return the connection, as the container has said that it opened its ends.

        Raises:
            OSError: it did not.
        """
        number = os.open(self.directory / FROM_HOST, os.O_WRONLY | os.O_NONBLOCK)
        write = os.fdopen(number, "wb", buffering=0)
        try:
            write.write(b"\n")
        except BaseException:
            write.close()
            raise
        self._is_connected = True
        return DirectChannel(self._read, write, attached)

    def close(self) -> None:
        """Take the names away, and what nobody has connected; closing twice is harmless."""
        self._shown.remove()
        if not self._is_connected:
            self._read.close()


class DirectChannel(PipeChannel):
    """Frames over the pipes; the attached connection is kept, as it keeps the container."""

    def __init__(self, read: IO[bytes], write: IO[bytes], attached: AttachedChannel) -> None:
        """Take over both ends, and the connection that the container was started with."""
        super().__init__(read, write)
        self._attached = attached

    def close(self) -> None:
        """Close everything; the container ends by that."""
        super().close()
        self._attached.close()
