# ruff: noqa: S311, S314, S318, UP006 - values such as tools make, made as they make them
"""The lists of the shipped profile hold: nothing on them leads where it must not."""

import asyncio
import bz2
import calendar
import collections
import concurrent.futures
import configparser
import contextlib
import csv
import decimal
import difflib
import functools
import gzip
import html.parser
import importlib
import io
import itertools
import json
import lzma
import pathlib
import pprint
import queue
import random
import re
import sqlite3
import statistics
import string
import tarfile
import tempfile
import textwrap
import threading
import types
import typing
import urllib.request
import uuid
import weakref
import xml.dom.minidom
import xml.etree.ElementTree as ET
import zipfile
import zoneinfo
from collections.abc import Iterator
from http.client import HTTPConnection

import pytest

from toolguild.policies import Capability
from toolguild.policies.code_rules import (
    CodeProfile,
    listed,
    load_code_profile,
    may_be_eased,
)

PROFILE = load_code_profile()

# Exports of Python versions after 3.11.
LATER = {
    "csv.QUOTE_NOTNULL", "csv.QUOTE_STRINGS", "itertools.batched", "math.fma", "math.sumprod",
    "os.path.splitroot", "random.binomialvariate", "re.PatternError", "statistics.kde",
    "statistics.kde_random", "typing.ReadOnly", "typing.TypeIs", "typing.override",
}  # fmt: skip


def exports(profile: CodeProfile = PROFILE) -> Iterator[tuple[str, object]]:
    for module, rules in profile.modules.items():
        loaded = importlib.import_module(module)
        for name in sorted(rules.exports):
            if hasattr(loaded, name):
                yield f"{module}.{name}", getattr(loaded, name)


def nameable(name: str, profile: CodeProfile) -> bool:
    rules = profile.attributes
    givers = (giver.forbidden for giver in profile.methods.values())
    if name in rules.forbidden.union(rules.templates, *givers):
        return False
    is_dunder = name.startswith("__") and name.endswith("__")
    return not is_dunder or name in (rules.dunder_reads | rules.dunder_methods) - {"__class__"}


WAYS_OUT = (types.ModuleType, types.FrameType, types.CodeType, types.TracebackType)


def ways_out_within_reach(
    profile: CodeProfile, start: dict[str, object], depth: int = 5
) -> set[str]:
    """Walk from values along every attribute that code may name, private ones included."""
    found: set[str] = set()
    seen: set[object] = set()
    kept = []  # so that no later value gets the identity of an earlier one
    pending = [(path, value, depth) for path, value in start.items()]
    while pending:
        path, value, depth = pending.pop()
        kept.append(value)
        if isinstance(value, WAYS_OUT) or (isinstance(value, type) and issubclass(value, type)):
            found.add(path)
            continue
        by_identity = isinstance(value, type | types.FunctionType | dict | list)
        key: object = id(value) if by_identity else (type(value), getattr(value, "__name__", ""))
        if key in seen or depth == 0:
            continue
        seen.add(key)
        if isinstance(value, dict):
            pending += [(f"{path}[...]", item, depth - 1) for item in list(value.values())[:100]]
        elif isinstance(value, list | tuple | set | frozenset):
            pending += [(f"{path}[...]", item, depth - 1) for item in list(value)[:100]]
        for name in dir(value):
            if nameable(name, profile):
                try:
                    pending.append((f"{path}.{name}", getattr(value, name), depth - 1))
                except Exception:  # noqa: S112 - attributes of descriptors may not be readable
                    continue
    return found


METACLASSES = {"abc.ABCMeta", "enum.EnumMeta", "enum.EnumType"}
"""Exports that can be named in the header of a class and nowhere else."""


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_no_module_frame_or_metaclass_can_be_reached_from_an_export() -> None:
    found = ways_out_within_reach(PROFILE, dict(exports()))
    assert found - METACLASSES == set()
    assert PROFILE.definitions.header_only >= METACLASSES


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_the_walk_finds_modules_once_a_module_may_be_taken() -> None:
    json = PROFILE.modules["json"]
    leaky = json.model_copy(update={"exports": json.exports | {"codecs"}})
    profile = PROFILE.model_copy(update={"modules": {**PROFILE.modules, "json": leaky}})
    assert ways_out_within_reach(profile, dict(exports(profile))) - METACLASSES == {"json.codecs"}


class OfATool:
    @functools.cached_property
    def kept(self) -> int:
        return 1

    @property
    def asked(self) -> int:
        return 1

    bound = functools.partialmethod(print)


@contextlib.contextmanager
def managed() -> Iterator[None]:
    yield


async def coroutine() -> None:
    await asyncio.sleep(0)


async def asynchronous_things() -> dict[str, object]:
    task = asyncio.create_task(asyncio.sleep(0))
    made = {
        "task": task, "queue": asyncio.Queue(), "condition": asyncio.Condition(),
        "group": asyncio.TaskGroup(), "timeout": asyncio.timeout(1),
    }  # fmt: skip
    await task
    return made


@pytest.fixture
def things(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, object]]:
    """Values such as a tool can make of what it may import."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").write_text("x")
    element = ET.fromstring("<a><b/></a>")
    archive = zipfile.ZipFile(io.BytesIO(), "w")
    archive.writestr("a", "b")
    with contextlib.ExitStack() as stack:
        pool = stack.enter_context(concurrent.futures.ThreadPoolExecutor(1))
        caught: BaseException | None = None
        try:
            raise AttributeError("x")
        except AttributeError as error:
            caught = error
        running = coroutine()
        stack.callback(running.close)
        yield {
            **asyncio.run(asynchronous_things()),
            "generator": (x for x in []), "coroutine": running, "exception": caught,
            "manager": managed(), "function": managed, "object": OfATool(),
            "cached": OfATool.__dict__["kept"], "property": OfATool.__dict__["asked"],
            "method": OfATool.__dict__["bound"], "super": super(OfATool, OfATool()),
            "partial": functools.partial(print), "dispatched": functools.singledispatch(managed),
            "compared": functools.cmp_to_key(lambda a, b: 0)(1), "cache": functools.cache(managed),
            "pool": pool, "future": pool.submit(int), "stack": stack,
            "connection": stack.enter_context(contextlib.closing(sqlite3.connect(":memory:"))),
            "archive": stack.enter_context(archive), "member": archive.infolist()[0],
            "tar": stack.enter_context(tarfile.open(fileobj=io.BytesIO(), mode="w")),
            "gzip": stack.enter_context(gzip.GzipFile(fileobj=io.BytesIO(), mode="w")),
            "bz2": stack.enter_context(bz2.open(io.BytesIO(), "w")),
            "lzma": stack.enter_context(lzma.open(io.BytesIO(), "w")),
            "text file": stack.enter_context(open("file")),  # noqa: PTH123 - as tools do
            "file": stack.enter_context(open("file", "rb")),  # noqa: PTH123 - as tools do
            "string file": io.StringIO(), "bytes file": io.BytesIO(),
            "element": element, "tree": ET.ElementTree(element), "parser": ET.XMLParser(),
            "dom": xml.dom.minidom.parseString("<a b='c'>d</a>"),
            "csv": csv.DictReader(["a", "b"]), "sniffer": csv.Sniffer(),
            "random": random.Random(), "system random": random.SystemRandom(),
            "config": configparser.ConfigParser(), "decimal": decimal.getcontext(),
            "encoder": json.JSONEncoder(), "decoder": json.JSONDecoder(),
            "template": string.Template("$a"), "wrapper": textwrap.TextWrapper(),
            "uuid": uuid.uuid4(), "zone": zoneinfo.ZoneInfo("UTC"), "path": pathlib.Path(),
            "pure path": pathlib.PurePath(), "windows path": pathlib.PureWindowsPath(),
            "weak": weakref.WeakValueDictionary(), "reference": weakref.ref(OfATool),
            "pattern": re.compile("a"), "match": re.match("a", "a"), "queue 2": queue.Queue(),
            "html": html.parser.HTMLParser(), "calendar": calendar.HTMLCalendar(),
            "differ": difflib.SequenceMatcher(), "printer": pprint.PrettyPrinter(),
            "lock": threading.Lock(), "semaphore": threading.Semaphore(),
            "normal": statistics.NormalDist(), "chain": itertools.chain(),
            "counter": collections.Counter(), "chain map": collections.ChainMap(),
            "alias": typing.List[int], "optional": typing.Optional["int"],
            "variable": typing.TypeVar("T"), "proxy": types.MappingProxyType({}),
            "temporary": stack.enter_context(tempfile.NamedTemporaryFile()),
            "http": HTTPConnection("localhost"), "request": urllib.request.Request("http://a"),
        }  # fmt: skip


def test_no_module_or_frame_can_be_reached_from_what_tools_can_make(
    things: dict[str, object],
) -> None:
    assert ways_out_within_reach(PROFILE, things, depth=4) == set()


def test_the_walk_finds_frames_where_their_names_are_not_forbidden(
    things: dict[str, object],
) -> None:
    forbidden = PROFILE.attributes.forbidden - {"gi_frame", "_flavour"}
    attributes = PROFILE.attributes.model_copy(update={"forbidden": forbidden})
    profile = PROFILE.model_copy(update={"attributes": attributes})
    found = ways_out_within_reach(profile, {"generator": things["generator"]}, depth=2)
    assert found == {"generator.gi_frame"}


def test_no_class_that_tools_may_derive_from_makes_classes() -> None:
    offered = {name: value for name, value in exports() if listed(PROFILE.definitions.bases, name)}
    assert len(offered) > 50
    for name, value in offered.items():
        resolved = types.resolve_bases((value,)) if hasattr(value, "__mro_entries__") else (value,)
        classes = [base for base in resolved if isinstance(base, type)]
        assert not any(issubclass(base, type) for base in classes), name


def test_rules_that_others_rely_on_cannot_be_eased() -> None:
    eased = {code for code in PROFILE.rules if may_be_eased(code)}
    assert {code[:3] for code in eased} == {"TG4", "TG5"}
    assert not eased & {"TG401", "TG407", "TG408"}


def test_every_export_exists_or_is_known_to_come_later() -> None:
    present = {path for path, _ in exports()}
    listed = {f"{m}.{name}" for m, rules in PROFILE.modules.items() for name in rules.exports}
    assert listed - present <= LATER


def test_no_free_builtin_runs_text_or_reaches_namespaces() -> None:
    dangerous = {
        "__build_class__", "__builtins__", "__import__", "__loader__", "breakpoint", "compile",
        "delattr", "dir", "eval", "exec", "exit", "globals", "help", "input", "locals",
        "memoryview", "quit", "setattr", "vars",
    }  # fmt: skip
    assert not dangerous & (PROFILE.builtins.free | PROFILE.builtins.guarded)
    assert not {"getattr", "type", "open"} & PROFILE.builtins.free


def test_attributes_of_frames_code_and_generators_are_forbidden() -> None:
    kinds = (
        types.FrameType, types.CodeType, types.TracebackType, types.GeneratorType,
        types.CoroutineType, types.AsyncGeneratorType,
    )  # fmt: skip
    prefixes = ("f_", "co_", "tb_", "gi_", "cr_", "ag_")
    names = {name for kind in kinds for name in dir(kind) if name.startswith(prefixes)}
    assert names <= PROFILE.attributes.forbidden


def test_packages_are_those_that_hold_an_allowed_module() -> None:
    assert {"xml", "xml.etree", "urllib", "os"} <= PROFILE.packages
    assert PROFILE.is_module("xml.etree")
    assert not PROFILE.is_module("subprocess")


@pytest.mark.parametrize(
    ("name", "capability"),
    [
        ("os.listdir", Capability.READ),
        ("os.remove", Capability.WRITE),
        ("os.path.join", None),
        ("urllib.request.urlopen", Capability.NETWORK),
        ("urllib.request", Capability.NETWORK),
        ("json.dumps", None),
        ("nothing.known", None),
    ],
)
def test_capability_of_a_name(name: str, capability: Capability | None) -> None:
    assert PROFILE.capability(name) is capability
