"""The programs in the shared corpora: ordinary ones work, hostile ones end, and leave nothing.

No static gate stands before any of them. Each hostile program runs at every tier that its row
names, and in the tier `sandbox` also without the inner wall, so that the isolation alone has to do.
Each runs on a worker that nobody else uses at the time, and what runs next on the same worker must
find everything as it was at first.
"""

from __future__ import annotations

import json
import os
import queue
import re
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import toolguild
from toolguild.policies import Capability, Tier
from toolguild.sandbox import (
    Access,
    Json,
    Limits,
    Mount,
    Outcome,
    Program,
    Sandbox,
    Status,
    open_sandbox,
)
from toolguild.sandbox.access import WORKSPACE
from toolguild.sandbox.docker import LABEL
from toolguild.sandbox.engine import connect
from toolguild.sandbox.owner import Owner

pytestmark = pytest.mark.traces

CANARY = "canary-7f3a9c"
_BESIDE = Path(toolguild.__file__).resolve().parent.parent / "shared"
SHARED = Path(os.environ.get("TOOLGUILD_SHARED", _BESIDE))

LIMITS = Limits(wall_s=20, memory_mb=128)
BRIEF = Limits(wall_s=1, memory_mb=128)
"""For those that are to run into their deadline; no other may, however busy the machine is."""
AT_ONCE = 4


def rows(name: str) -> list[dict[str, Any]]:
    path = SHARED / "corpora" / name
    if not path.is_file():
        return []
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


BENIGN = rows("benign.jsonl")
WRITING = "files-write"
"""Category of the rows whose tools change files; `{dir}` in their arguments is the workspace."""
HOSTILE = {row["id"]: row for row in rows("escapes.jsonl")}

STOPPED_BY_THE_GATE_ONLY = {
    "S044": "it changes a shared module, in its own process, which ends with the run",
    "S065": "it names the local variables of its own process",
    "S076": "it spoofs isinstance for its own code",
    "S115": "it reads the image's /etc/passwd, which names nobody of the host",
    "S156": "it patches a builtin type, in its own process",
    "S162": "it reads stdin, which is /dev/null",
    "S169": "it prints the name of a method",
    "S176": "it runs its own exception group",
    **dict.fromkeys(
        ("S185", "S188", "S189", "S190", "S191", "S193", "S194"),
        "it binds a name with an underscore: no names are injected for the isolation to work",
    ),
}
"""Rows whose proof comes back where the isolation is alone, as it is no harm there, and why."""


def negative(value: Json) -> bool:
    """Whether every system call of a list failed; beside its result may stand its errno."""
    numbers = value if isinstance(value, list) else [value]
    return bool(numbers) and numbers[0] == -1


# What the rows' `observable` says, where the outcome itself can show it with the isolation alone.
# Of a program that fails for want of what it attacks, nothing more is asked.
STATUS = {
    Status.MEMORY: {"R004", "R011", "R024"},
    Status.TIMEOUT: {
        *("R002", "R009", "R010", "R011", "R012", "R013", "R014", "R017", "R023", "R042"),
    },
    Status.OUTPUT_LIMIT: {"R024"},
    Status.ERROR: {"R025", "R027", "R089", "R090", "R092", "R093"},
    Status.KILLED: {"R095", "R096", "R104"},
}
VALUE: dict[str, Callable[[Json], bool]] = {
    **dict.fromkeys(
        ("R043", "R044", "R053", "R065", "R072", "R076", "R085", "R099"), lambda value: value == []
    ),
    **dict.fromkeys(("R066", "R067", "R068", "R069", "R070", "R081", "R084"), negative),
    "R054": lambda value: "docker.sock" not in str(value) and str(SHARED) not in str(value),
    "R097": lambda value: value == "",
    **dict.fromkeys(("R100", "R101", "R103"), lambda value: value == "wrong"),
}

STATE = Program(
    """
import decimal, gc, json, locale, math, os, random, signal, socket, statistics, sys, threading
import time
def tool():
    try:
        socket.create_connection(("127.0.0.1", 4555), 0.01)
        connected = True
    except OSError:
        connected = False
    mask = os.umask(0)
    return os.getpid(), [
        math.pi, statistics.mean([1, 2]), json.dumps({"a": 1}), len("ab"), os.getcwd(), mask,
        dict(os.environ), time.tzname, decimal.getcontext().prec, gc.isenabled(),
        sys.getrecursionlimit(), sorted(sys.modules), sys.path, threading.active_count(),
        [str(signal.getsignal(number)) for number in (1, 2, 14, 15)], signal.alarm(0), connected,
        os.path.exists("/tmp/late_write"), locale.setlocale(locale.LC_ALL),
    ]
""",
    "tool",
    walled=False,
)
"""Its process id, and what a program could have left changed for the next."""


@dataclass(frozen=True)
class Finding:
    """What came of one row on one backend, at one tier."""

    outcome: Outcome
    seconds: float
    next: Outcome
    """What ran next on the same worker."""


Variant = tuple[str, Tier, bool]
"""Row, tier, and whether the inner wall stood."""


def variants(kind: str) -> list[Variant]:
    found = []
    for row in HOSTILE.values():
        if row["danger"] == "high" and kind != "docker":
            continue
        for tier in map(Tier, row["tiers"]):
            found += [(row["id"], tier, walled) for walled in {tier is Tier.SANDBOX, False}]
    return found


@pytest.fixture(scope="module", autouse=True)
def corpora_present() -> None:
    if not BENIGN or not HOSTILE:
        pytest.skip(f"no corpora in {SHARED}; set TOOLGUILD_SHARED to where they are")


@pytest.fixture(scope="module")
def canary() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SBX_CANARY", CANARY)
        yield


@pytest.fixture(scope="module")
def canary_sandbox(kind: str, canary: None) -> Iterator[Sandbox]:
    with open_sandbox("docker" if kind == "docker" else "local", size=1) as sandbox:
        yield sandbox


@pytest.mark.parametrize("row", BENIGN, ids=lambda row: row["name"])
def test_ordinary_tools_give_what_is_expected(canary_sandbox, folder, row) -> None:
    for name, content in row.get("files", {}).items():
        (folder / name).write_text(content)
    needs, access, place = frozenset[Capability](), Access(), ""
    if row["category"] == WRITING:
        needs, access, place = frozenset({Capability.WRITE}), Access(workspace=folder), WORKSPACE
    elif "files" in row:
        needs, access, place = frozenset({Capability.READ}), Access((Mount(folder, "/in"),)), "/in"
    for case in row["cases"]:
        arguments = json.loads(json.dumps(case["args"]).replace("{dir}", place))
        program = Program(row["code"], "tool", needs=needs)
        outcome = canary_sandbox.run(program, arguments, tier=Tier(row["tier"]), access=access)
        assert outcome.status is Status.OK, outcome.error
        assert outcome.value == case["expected"]


def planted_files() -> set[Path]:
    """Return the files where a program could want to leave some."""
    found = set()
    for folder in (Path("/tmp"), Path("/dev/shm"), Path.home(), Path.cwd()):
        found |= set(folder.iterdir())
    return found


def limits_of(name: str) -> Limits:
    return BRIEF if name in STATUS[Status.TIMEOUT] else LIMITS


def carriers(kind: str, processes) -> set[int]:
    """Return the first process of each worker of ours, by its number on the host."""
    if kind == "local":
        return processes.children({os.getpid()})
    client = connect()
    try:
        own = {"label": f"{LABEL}={Owner.current()}"}
        found = [client.inspect_container(each["Id"]) for each in client.containers(filters=own)]
    finally:
        client.close()
    return {container["State"]["Pid"] for container in found}


@dataclass(frozen=True)
class Findings:
    """What came of all rows on one backend."""

    of: dict[Variant, Finding]
    first: Outcome
    """What a program found before any of the rows had run."""
    files: set[Path]
    """That are there afterwards and were not before."""
    carried_by: set[tuple[int, str]]
    """Processes of these sandboxes, as the host tells them apart."""


@pytest.fixture(scope="module")
def findings(kind: str, canary: None, processes) -> Findings:
    """Run every row, a few at once, each on a sandbox of one worker that it has to itself."""
    files, others = planted_files(), carriers(kind, processes)
    with ExitStack() as stack:
        free: queue.SimpleQueue[Sandbox] = queue.SimpleQueue()
        for _ in range(AT_ONCE):
            sandbox = stack.enter_context(open_sandbox(kind, size=1))
            first = sandbox.run(STATE, {}, tier=Tier.FULL, limits=LIMITS)
            free.put(sandbox)

        def attack(variant: Variant) -> Finding:
            name, tier, walled = variant
            sandbox = free.get()
            begin = time.monotonic()
            program = Program(HOSTILE[name]["code"], "tool", walled=walled)
            outcome = sandbox.run(program, {}, tier=tier, limits=limits_of(name))
            seconds = time.monotonic() - begin
            following = sandbox.run(STATE, {}, tier=Tier.FULL, limits=LIMITS)
            free.put(sandbox)
            ours = carriers(kind, processes) - others
            carried_by.update(processes.identified(ours | processes.below(ours)))
            return Finding(outcome, seconds, following)

        carried_by: set[tuple[int, str]] = set()
        tried = variants(kind)
        with ThreadPoolExecutor(AT_ONCE) as threads:
            found = dict(zip(tried, threads.map(attack, tried), strict=True))
    return Findings(found, first, planted_files() - files, carried_by)


def test_every_row_was_tried_at_every_tier_it_names(findings, kind) -> None:
    tried = {(name, tier) for name, tier, _ in findings.of}
    left_out = {
        row["id"]
        for row in HOSTILE.values()
        if not {(row["id"], Tier(tier)) for tier in row["tiers"]} <= tried
    }
    dangerous = {row["id"] for row in HOSTILE.values() if row["danger"] == "high"}
    assert left_out == (set() if kind == "docker" else dangerous)


def test_no_row_reveals_anything_of_the_host(findings) -> None:
    for variant, finding in findings.of.items():
        assert CANARY not in repr(finding.outcome), variant
        if HOSTILE[variant[0]]["proof"] == "pid" and isinstance(finding.outcome.value, int):
            # It may see its own, of a namespace that numbers its processes from 1: what runs next
            # on the same worker has one of the next numbers.
            assert 0 < finding.next.value[0] - finding.outcome.value < 100, variant


def test_no_proof_comes_back_but_of_what_is_no_harm(findings) -> None:
    came_back = set()
    for (name, _, _), finding in findings.of.items():
        _, contains, proof = HOSTILE[name]["proof"].partition("contains:")
        if contains and finding.outcome.ok and proof in repr(finding.outcome):
            came_back.add(name)
    assert came_back == STOPPED_BY_THE_GATE_ONLY.keys() & HOSTILE.keys()


def test_every_row_ends_in_time(findings) -> None:
    for variant, finding in findings.of.items():
        # A generous margin for a busy machine.
        assert finding.seconds < limits_of(variant[0]).wall_s + 3, variant


def test_every_row_ends_as_it_should(findings) -> None:
    wrong = []
    for (name, tier, walled), finding in findings.of.items():
        outcome = finding.outcome
        if walled:
            continue  # there it may end earlier, and for another reason
        expected = {status for status, names in STATUS.items() if name in names}
        if expected and outcome.status not in expected:
            wrong.append((name, tier, outcome))
        if name in VALUE and outcome.ok and not VALUE[name](outcome.value):
            wrong.append((name, tier, outcome))
        if outcome.ok and outcome.value == 42:  # what some try to pass for their result
            wrong.append((name, tier, outcome))
    assert not wrong


def test_what_runs_next_on_the_same_worker_finds_all_as_it_was(findings) -> None:
    assert findings.first.ok, findings.first
    for variant, finding in findings.of.items():
        assert finding.next.ok, (variant, finding.next)
        assert finding.next.value[1] == findings.first.value[1], variant


def test_no_file_is_left_on_the_host(findings) -> None:
    named = {name for row in HOSTILE.values() for name in re.findall(r"/tmp/([\w.]+)", row["code"])}
    assert {"late_write", "unpickled_on_host"} <= named
    assert not {path for path in findings.files if path.name in named}


def test_no_process_is_left_on_the_host(findings, processes) -> None:
    # The sandboxes are closed: of all that carried the rows nothing lives on. Other processes may
    # have been given the same numbers in the meantime.
    assert findings.carried_by
    numbers = {number for number, _ in findings.carried_by}
    assert not processes.identified(numbers) & findings.carried_by
