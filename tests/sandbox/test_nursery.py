"""How the process that forks the children ends."""

from __future__ import annotations

import subprocess
import sys

import pytest

_SERVE = """
import os, socket, sys
from toolguild.sandbox.inside.nursery import Nursery
code = int(sys.argv[1])
for _ in range(200):
    nursery = os.fork()
    if not nursery:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        supervisor = os.fork()
        if not supervisor:
            os._exit(code)
        ours.close()
        Nursery(theirs, lambda *pipes: os._exit(0)).serve(supervisor)
    assert os.waitstatus_to_exitcode(os.waitpid(nursery, 0)[1]) == code
"""


@pytest.mark.parametrize("code", [0, 1])
def test_it_ends_as_its_supervisor_did(code) -> None:
    # So that a container whose host is gone is told from one that failed.
    done = subprocess.run([sys.executable, "-c", _SERVE, str(code)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
