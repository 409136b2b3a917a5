"""What a program makes use of is seen from within its process, and told once."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest

# Runs each program in a process of its own, which the hook then stays in.
_RUNNER = """
import json, os, sys, types
from toolguild.sandbox.inside.observation import install_hook
from toolguild.sandbox.wall.wall import Rules, Wall
from toolguild.sandbox.wall.profile import wall_rules
from toolguild.policies import Capability, load_profile

START = install_hook()  # ahead of the fork, as in the sandbox
RULES = Rules.from_plain(wall_rules(load_profile(), frozenset({Capability.WRITE})))

def run(job):
    module = sys.modules["tool"] = types.ModuleType("tool")
    told = []
    def tell(capability):
        told.append(capability)
        if job["tell"] == "fails": raise RuntimeError("nobody listens")
    try:
        if job["walled"]:
            wall = Wall(RULES, module)
            code = wall.compile(job["source"])
            wall.enter()
        else:
            code = compile(job["source"], "<tool>", "exec")
        START(tell)
        exec(code, module.__dict__)
        return told, module.__dict__["tool"]()
    except Exception as error:
        return told, f"{type(error).__name__}: {error}"

for line in sys.stdin:
    read, write = os.pipe()
    child = os.fork()
    if not child:
        job = json.loads(line)
        os.chdir(job["folder"])
        os.write(write, json.dumps(run(job)).encode())
        os._exit(0)
    os.close(write)
    with os.fdopen(read) as answer:
        print(answer.read())
    os.waitpid(child, 0)
"""


def observed(
    folder: Path, *sources: str, walled: bool = False, tell: str = "listens"
) -> list[tuple[list[str], Any]]:
    """Run the `tool` of programs, each in a folder of its own with a file and a folder in it.

    Returns what was told of each, and what it returned.
    """
    lines = []
    for number, source in enumerate(sources):
        work = folder / str(number)
        (work / "inner").mkdir(parents=True)
        (work / "data.txt").write_text("text")
        job = {"source": textwrap.dedent(source), "walled": walled, "tell": tell}
        lines.append(json.dumps({**job, "folder": str(work)}))
    done = subprocess.run(
        [sys.executable, "-P", "-c", _RUNNER],  # as the sandbox starts its interpreter
        input="\n".join(lines),
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    return [tuple(json.loads(line)) for line in done.stdout.splitlines()]


READS = {
    "open": "def tool(): open('data.txt').read()",
    "open to read, by descriptor": "import os\ndef tool(): os.open('data.txt', os.O_RDONLY)",
    "open of nothing": """
        def tool():
            try: open("missing.txt")
            except OSError: pass
        """,
    "open above the library": """
        import os
        def tool():
            try: open(os.__file__ + "/../../../../../../../../etc/hostname")
            except OSError: pass
        """,
    "Path": "import pathlib\ndef tool(): pathlib.Path('data.txt').read_bytes()",
    "listdir": "import os\ndef tool(): os.listdir('.')",
    "listdir of here": "import os\ndef tool(): os.listdir()",
    "scandir": "import os\ndef tool(): list(os.scandir('.'))",
    "walk": "import os\ndef tool(): list(os.walk('.'))",
    "glob": "import glob\ndef tool(): glob.glob('*')",
    "Path.glob": "import pathlib\ndef tool(): list(pathlib.Path('.').glob('*'))",
    "a file by its address": """
        import os, urllib.request
        def tool(): urllib.request.urlopen("file://" + os.path.abspath("data.txt")).read()
        """,
}
WRITES = {
    "open": "def tool(): open('new.txt', 'w').write('x')",
    "append": "def tool(): open('data.txt', 'a').write('x')",
    "update": "def tool(): open('data.txt', 'r+').write('x')",
    "exclusive": "def tool(): open('new.txt', 'x')",
    "in vain": """
        def tool():
            try: open("missing/new.txt", "w")
            except OSError: pass
        """,
    "descriptor": "import os\ndef tool(): os.open('new.txt', os.O_CREAT | os.O_WRONLY)",
    "mkdir": "import os\ndef tool(): os.mkdir('new')",
    "remove": "import os\ndef tool(): os.remove('data.txt')",
    "rename": "import os\ndef tool(): os.rename('data.txt', 'new.txt')",
    "replace": "import pathlib\ndef tool(): pathlib.Path('data.txt').replace('new.txt')",
    "symlink": "import os\ndef tool(): os.symlink('data.txt', 'new.txt')",
    "link": "import os\ndef tool(): os.link('data.txt', 'new.txt')",
    "chmod": "import os\ndef tool(): os.chmod('data.txt', 0o600)",
    "utime": "import os\ndef tool(): os.utime('data.txt')",
    "truncate": "import os\ndef tool(): os.truncate('data.txt', 0)",
    "rmdir": "import os\ndef tool(): os.rmdir('inner')",
    "database": "import sqlite3\ndef tool(): sqlite3.connect('new.db').close()",
    "mkdtemp": "import tempfile\ndef tool(): tempfile.mkdtemp(dir='.')",
}
NETWORK = {
    "socket": "import socket\ndef tool(): socket.socket()",
    "lookup": """
        import socket
        def tool():
            try: socket.getaddrinfo("localhost", 80)
            except OSError: pass
        """,
    "urlopen": """
        import urllib.request
        def tool():
            try: urllib.request.urlopen("http://127.0.0.1:1/", timeout=1)
            except OSError: pass
        """,
    "client": """
        import http.client
        def tool():
            try: http.client.HTTPConnection("127.0.0.1", 1, timeout=1).request("GET", "/")
            except OSError: pass
        """,
}
NOTHING = {
    "imports": """
        def tool():
            import argparse, asyncio, csv, decimal, email.message, http.client, logging, sqlite3
            import tarfile, tempfile, unittest.mock, urllib.request, xml.dom.minidom, zipfile
        """,
    "source of the library": """
        import inspect, linecache, os, traceback
        def tool():
            os.listdir(os.path.dirname(os.__file__))
            try: __import__("json").loads("{")
            except ValueError: return len(traceback.format_exc()) * 0
        """,
    "time zones": "import zoneinfo\ndef tool(): zoneinfo.ZoneInfo('Europe/Berlin')",
    "loop": "import asyncio\ndef tool(): asyncio.run(asyncio.sleep(0))",
    "database in memory": "import sqlite3\ndef tool(): sqlite3.connect(':memory:').close()",
    "devices": "import os\ndef tool(): open(os.devnull, 'w'), open('/dev/urandom', 'rb').read(1)",
    "data by its address": """
        import urllib.request
        def tool(): urllib.request.urlopen("data:,x").read()
        """,
    "memory": """
        import gzip, io, zipfile
        def tool():
            memory = io.BytesIO()
            with zipfile.ZipFile(memory, "w") as archive: archive.writestr("a", "b")
            gzip.compress(b"x"), io.StringIO("x").read(), hash("x"), id(3), isinstance(3, int)
        """,
}


@pytest.mark.parametrize(
    ("programs", "expected"),
    [(READS, ["read"]), (WRITES, ["write"]), (NETWORK, ["network"]), (NOTHING, [])],
    ids=["reads", "writes", "network", "nothing"],
)
def test_what_a_program_makes_use_of_is_told(tmp_path, programs, expected) -> None:
    for name, (told, value) in zip(programs, observed(tmp_path, *programs.values()), strict=True):
        assert told == expected, f"{name}: {told} {value}"
        assert not isinstance(value, str), f"{name}: {value}"


def test_each_is_told_once_and_in_order(tmp_path) -> None:
    source = """
        import os, socket
        from concurrent.futures import ThreadPoolExecutor
        def tool():
            open("data.txt").close(); os.listdir(".")
            with ThreadPoolExecutor(8) as pool:
                list(pool.map(lambda n: open(f"new{n}", "w").close(), range(200)))
            for _ in range(3): socket.socket().close(); open("data.txt").close()
        """
    assert observed(tmp_path, source) == [(["read", "write", "network"], None)]


def test_a_listener_that_fails_does_no_harm(tmp_path) -> None:
    source = "def tool():\n    return open('data.txt').read()"
    assert observed(tmp_path, source, tell="fails") == [(["read"], "text")]


def test_nothing_of_the_program_is_called_to_see_it(tmp_path) -> None:
    # Code of the program that runs below the hook would find it in its frames.
    source = """
        import os, sys
        seen = []
        def spied(name):
            def method(self, *arguments):
                frame = sys._getframe()
                while frame:
                    seen.append(frame.f_code.co_filename)
                    frame = frame.f_back
                return getattr(str, name)(self, *arguments)
            return method
        NAMES = ("__contains__", "__eq__", "__getitem__", "__hash__", "__len__", "__str__",
                 "startswith", "lower", "encode")
        Name = type("Name", (str,), {name: spied(name) for name in NAMES})
        class Path:
            def __fspath__(self): return Name("data.txt")
        def tool():
            open(Name("data.txt")).close()
            os.listdir(Name(".")), os.open(Name("data.txt"), os.O_RDONLY)
            open(Path()).close()
            return [name for name in seen if "observation" in name]
        """
    assert observed(tmp_path, source) == [(["read"], [])]


def test_failures_show_no_frame_of_ours(tmp_path) -> None:
    source = """
        def trace(error):
            found, step = [], error.__traceback__
            while step:
                found.append(step.tb_frame.f_code.co_filename)
                step = step.tb_next
            return found
        def deep(n=0):
            try: open("data.txt").close()
            except RecursionError as error: return trace(error)
            return deep(n + 1)
        def tool():
            try: open("missing.txt")
            except OSError as error: found = trace(error), repr(error.__context__)
            try: return [found, deep()]
            except RecursionError as error: return [found, [t for t in trace(error)]]
        """
    [(told, value)] = observed(tmp_path, source)
    assert told == ["read"]
    [[trace, context], deep] = value
    assert (trace, context) == (["<tool>"], "None")
    assert set(deep) == {"<tool>"}


def test_it_stands_behind_the_wall(tmp_path) -> None:
    source = """
        import csv
        def tool():
            with open("new.csv", "w", newline="") as file: csv.writer(file).writerow([1])
            with open("new.csv") as file: return file.read().strip()
        """
    assert observed(tmp_path, source, walled=True) == [(["write", "read"], "1")]
