"""What is left of a worker's processes, wherever on its way inside it ends: nothing."""

from __future__ import annotations

import errno
import signal
from collections.abc import Iterator

import pytest

from toolguild.sandbox import local

STOPPED_ON_ITS_WAY = """
import os, signal
if os.fork() == 0:
    os.kill(os.getpid(), signal.SIGSTOP)
signal.pause()
"""


@pytest.fixture
def launched(monkeypatch) -> Iterator[local._Process]:
    """Give a launcher below which a process has been stopped before it was isolated."""
    monkeypatch.setattr(local, "COMMAND_LINE", ["-c", STOPPED_ON_ITS_WAY])
    process = local._Process()
    yield process
    process._errors.close()  # else `begin` does it


@pytest.mark.parametrize("end_of_launcher", [None, signal.SIGKILL, signal.SIGSTOP])
def test_a_process_that_was_stopped_ends_with_its_launcher(
    launched, processes, end_of_launcher
) -> None:
    launcher = launched._popen.pid
    assert processes.eventually(lambda: bool(processes.below({launcher})))
    stopped = processes.identified(processes.below({launcher}))
    if end_of_launcher:
        launched._popen.send_signal(end_of_launcher)
    launched.close()
    assert processes.eventually(lambda: not processes.identified({pid for pid, _ in stopped}))
    launched.close()  # which may be done twice


def test_it_ends_even_where_no_descriptor_is_left_to_wait_with(
    launched, processes, monkeypatch
) -> None:
    launcher = launched._popen.pid
    assert processes.eventually(lambda: bool(processes.below({launcher})))
    family = processes.identified({launcher} | processes.below({launcher}))

    def none_left(pid: int) -> int:
        raise OSError(errno.EMFILE, "too many open files")

    with monkeypatch.context() as patched:
        patched.setattr(local.os, "pidfd_open", none_left)
        launched.close()
    assert processes.eventually(lambda: not processes.identified({pid for pid, _ in family}))
