"""What the peers do with the corpora: runs in their environment, not in ours.

Each row is tried in a process of its own, in an empty folder, with a deadline and limits. Rows that
would use the network are compiled and not run.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import resource
import subprocess
import sys
import tempfile
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

Row = dict[str, Any]
CANARY = "canary-7f3a"
DEADLINE_S = 10
MEMORY = 2 << 30
NETWORK = "static-bypass/indirect-network"

DATA_MODULES = [
    "abc", "array", "ast", "base64", "binascii", "bisect", "calendar", "cmath", "codecs",
    "collections", "collections.abc", "copy", "csv", "dataclasses", "datetime", "decimal",
    "difflib", "enum", "fnmatch", "fractions", "functools", "graphlib", "hashlib", "heapq", "hmac",
    "html", "inspect", "io", "ipaddress", "itertools", "json", "keyword", "logging", "math",
    "numbers", "operator", "pathlib", "pprint", "queue", "random", "re", "secrets", "shlex",
    "statistics", "string", "struct", "textwrap", "time", "types", "typing", "unicodedata",
    "urllib.parse", "uuid", "warnings", "weakref", "zlib", "zoneinfo", "__future__",
]  # fmt: skip
"""What somebody who wants tools that handle data to work would let them import."""
NOT_FOR_SMOLAGENTS = {"__future__", "io", "pathlib", "urllib.parse"}


class RefusedError(Exception):
    """The peer would not take the program."""


# --- the peers: each returns what the program's `tool` returns for the arguments


def restricted_compile(code: str, arguments: Row | None) -> object:
    """Compile only; what is compiled counts as passed."""
    from RestrictedPython import compile_restricted

    try:
        compile_restricted(code, "<tool>", "exec")
    except SyntaxError as error:
        raise RefusedError(str(error)) from error
    return _COMPILED


def restricted_run(code: str, arguments: Row | None) -> object:
    """Run with guards and builtins as the manual and the usual embeddings have them."""
    from RestrictedPython import (
        compile_restricted,
        limited_builtins,
        safe_globals,
        utility_builtins,
    )
    from RestrictedPython.Eval import default_guarded_getitem, default_guarded_getiter
    from RestrictedPython.Guards import (
        full_write_guard,
        guarded_iter_unpack_sequence,
        guarded_unpack_sequence,
        safer_getattr,
    )
    from RestrictedPython.PrintCollector import PrintCollector

    try:
        compiled = compile_restricted(code, "<tool>", "exec")
    except SyntaxError as error:
        raise RefusedError(str(error)) from error

    def guarded_import(name: str, *rest: Any) -> object:
        if name not in DATA_MODULES and name.split(".")[0] not in DATA_MODULES:
            raise ImportError(name)
        return __import__(name, *rest)

    builtins = {**safe_globals["__builtins__"], **limited_builtins, **utility_builtins}
    usual = (
        "all any bytearray bytes dict enumerate filter frozenset iter list map max min next"
        " object property reversed set sorted staticmethod classmethod sum super tuple type zip"
    )
    import builtins as python

    builtins |= {name: getattr(python, name) for name in usual.split()}
    builtins["__import__"] = guarded_import
    names = {
        "__builtins__": builtins,
        "__metaclass__": type,
        "__name__": "tool",
        "_getattr_": safer_getattr,
        "_getitem_": default_guarded_getitem,
        "_getiter_": default_guarded_getiter,
        "_iter_unpack_sequence_": guarded_iter_unpack_sequence,
        "_unpack_sequence_": guarded_unpack_sequence,
        "_print_": PrintCollector,
        "_write_": full_write_guard,
        "_inplacevar_": _in_place,
    }
    exec(compiled, names)  # noqa: S102 - what is measured
    return names["tool"](**(arguments or {}))


def _in_place(operator: str, value: Any, other: Any) -> Any:
    names = {"value": value, "other": other}
    exec(f"value {operator} other", {}, names)  # noqa: S102 - the operator is the compiler's
    return names["value"]


def smolagents(code: str, arguments: Row | None, modules: list[str] | None = None) -> object:
    """Interpret the syntax tree, as its agents do by default."""
    from smolagents.local_python_executor import LocalPythonExecutor

    executor = LocalPythonExecutor(modules or [])
    executor.send_tools({})
    executor.send_variables({"arguments": arguments or {}})
    return executor(f"{code}\nresult = tool(**arguments)\nresult").output


def smolagents_data(code: str, arguments: Row | None) -> object:
    """Interpret with the data modules allowed."""
    return smolagents(code, arguments, [m for m in DATA_MODULES if m not in NOT_FOR_SMOLAGENTS])


def bandit(code: str, arguments: Row | None, *, level: str = "-ll") -> object:
    """Look for findings; none counts as passed."""
    with tempfile.NamedTemporaryFile("w", suffix=".py", encoding="utf-8") as file:
        file.write(code)
        file.flush()
        command = [sys.executable, "-m", "bandit", "-q", *level.split(), file.name]
        done = subprocess.run(command, capture_output=True, check=False)
    if done.returncode:
        raise RefusedError
    return _COMPILED


def bandit_all(code: str, arguments: Row | None) -> object:
    """The same, with findings of the lowest severity."""
    return bandit(code, arguments, level="-l")


_COMPILED = object()
STATIC = {"restricted_compile", "bandit", "bandit_all"}

# --- one row in a process of its own


def verdict(peer: str, row: Row, arguments: Row | None, expected: object = None) -> str:
    """Return `passed`, `refused`, `stopped`, or for ordinary tools `wrong`."""
    ours, theirs = multiprocessing.Pipe(duplex=False)
    process = multiprocessing.get_context("fork").Process(
        target=_try, args=(theirs, peer, row, arguments, expected)
    )
    process.start()
    theirs.close()
    told = "stopped"
    if ours.poll(DEADLINE_S):
        try:
            told = ours.recv()
        except EOFError:
            told = "stopped"
    process.kill()
    process.join()
    return told


def _try(
    connection: Connection, peer: str, row: Row, arguments: Row | None, expected: object
) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    sys.stdout = sys.stderr = open(os.devnull, "w")  # noqa: SIM115, PTH123 - until the end
    os.environ["SBX_CANARY"] = CANARY
    told = "stopped"
    check: Callable[[str, Row | None], object] = globals()[peer]
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        try:
            value = check(row["code"], arguments)
            if value is _COMPILED:
                told = "passed"
            elif "proof" in row:
                told = "passed" if _is_proof(row["proof"], value) else "stopped"
            else:
                told = "passed" if _plain(value) == _plain(expected) else "wrong"
        except RefusedError:
            told = "refused"
        except BaseException:
            told = "stopped" if "proof" in row else "refused"
    connection.send(told)
    os._exit(0)


def _is_proof(proof: str, value: object) -> bool:
    if proof == "canary":
        return CANARY in str(value)
    if proof == "pid":
        return str(os.getpid()) in str(value)
    return proof.startswith("contains:") and proof.removeprefix("contains:") in str(value)


def _plain(value: object) -> object:
    try:
        return json.loads(json.dumps(value))
    except (TypeError, ValueError):
        return repr(value)


def escape_verdict(peer: str, row: Row) -> str:
    """Try a program that wants to get out."""
    if row["category"] == NETWORK and peer not in STATIC:
        return "stopped"  # not run: whether it connects shows nowhere
    return verdict(peer, row, None)


def ordinary_verdict(peer: str, row: Row) -> str:
    """Try an ordinary tool on its first case, or look at its text."""
    if peer in STATIC:
        return verdict(peer, {"code": row["code"]}, None)
    with tempfile.TemporaryDirectory() as folder:
        for name, text in row["files"].items():
            Path(folder, name).write_text(text, encoding="utf-8")
        for case in row["cases"]:
            filled = json.loads(json.dumps(case["args"]).replace("{dir}", folder))
            told = verdict(peer, {"code": row["code"]}, filled, case["expected"])
            if told != "passed":
                return told
    return "passed"


def main() -> None:
    """Ask one peer about every row and print the verdicts as JSON."""
    peer, folder = sys.argv[1], Path(sys.argv[2])
    rows = [
        [json.loads(line) for line in (folder / name).read_text("utf-8").splitlines()]
        for name in ("escapes.jsonl", "benign.jsonl")
    ]
    escapes = [row for row in rows[0] if row["category"].startswith("static-bypass/")]
    if peer not in STATIC:
        # Imported once, before the processes fork.
        __import__("smolagents.local_python_executor" if "smol" in peer else "RestrictedPython")
    before = written()
    told = {
        "escapes": {row["id"]: escape_verdict(peer, row) for row in escapes},
        "ordinary": {row["id"]: ordinary_verdict(peer, row) for row in rows[1]},
    }
    for path in written() - before:
        path.unlink()
    print(json.dumps(told))


def written() -> set[Path]:
    """Return what escapes leave behind where a peer lets them write."""
    return set(Path(tempfile.gettempdir()).glob("sbx_written_*"))


if __name__ == "__main__":
    main()
