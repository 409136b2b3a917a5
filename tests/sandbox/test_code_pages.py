"""Children that start with the page table of the interpreter's code."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

if sys.platform != "linux":
    pytest.skip("the kernel is another", allow_module_level=True)

PROGRAM = """
import json, os, re, sys
from pathlib import Path
from toolguild.sandbox.linux.code_pages import copy_code_on_fork

def code():
    "Return the protection, and the resident and own KiB, of what the interpreter's code is in."
    found = []
    for part in re.split(r"(?m)^(?=[0-9a-f]+-[0-9a-f]+ )", Path("/proc/self/smaps").read_text()):
        if part and re.search(r"python[\\d.]*(\\.so[\\d.]*)?$", part.split("\\n")[0]):
            fields = dict(re.findall(r"(?m)^(\\w+): +(\\d+) kB", part))
            found.append([part.split()[1], int(fields["Rss"]), int(fields["Anonymous"])])
    return [one for one in found if "x" in one[0]]

def in_child():
    reading, writing = os.pipe()
    if os.fork() == 0:
        os.write(writing, json.dumps(code()).encode())
        os._exit(0)
    os.wait()
    return json.loads(os.read(reading, 1 << 16))

before = in_child()
copy_code_on_fork()
print(json.dumps([before, in_child(), code()]))
"""


def test_children_share_the_pages_at_once_and_may_still_not_write_them() -> None:
    ran = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True
    )
    before, after, parent = json.loads(ran.stdout)
    assert [one[0] for one in after] == [one[0] for one in before]
    assert all("w" not in protection for protection, _, _ in after)
    # At least what its parent had, where a child without has only what it came across itself.
    resident = [sum(one[1] for one in side) for side in (before, after, parent)]
    assert resident[1] >= resident[2] - 64 > resident[0]
    assert sum(one[2] for one in parent) in (4, 8)
