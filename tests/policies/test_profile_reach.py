"""From nothing that the profile lets tools have do attributes lead to the interpreter.

The static gate and the sandbox's wall guard against it one name at a time; this walks the library
that is installed, for the names that nobody has thought of.
"""

from __future__ import annotations

import asyncio
import builtins
import importlib
import io
import os
import sys
import tarfile
import types
import warnings
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from toolguild.policies import load_profile

DEPTH = 3
CODE = load_profile().code
_INTERNAL = (
    types.ModuleType,
    types.FrameType,
    types.TracebackType,
    types.CodeType,
    types.CellType,
)
_NEVER = {
    id(value): name
    for name, value in {
        **{name: getattr(builtins, name) for name in ("compile", "eval", "exec", "__import__")},
        **{name: getattr(builtins, name) for name in ("globals", "locals", "vars", "memoryview")},
        "builtins": vars(builtins),
        "sys.modules": sys.modules,
        "sys._getframe": sys._getframe,
        "os.environ": os.environ,
        "os.system": os.system,
        "importlib.import_module": importlib.import_module,
    }.items()
}
_LOADERS = ("_frozen_importlib", "importlib", "zipimport")
_LEAVES = (
    *(bool, bytes, complex, float, int, str, type(None)),
    types.BuiltinFunctionType,
    types.MethodDescriptorType,
    types.MethodWrapperType,
    types.WrapperDescriptorType,
)
"""What has nothing in it but what each of its kind has."""
_GUARDED = {"abc.ABCMeta", "enum.EnumMeta", "enum.EnumType"}
"""What makes classes: rules of their own are about these."""

# What functions and classes of the modules give, in a folder with `t.txt` and archives.
_VALUES = """\
array.array("b", [1])
asyncio.Queue()
asyncio.Semaphore()
asyncio.TaskGroup()
bz2.BZ2Decompressor()
bz2.open("t.txt")
calendar.HTMLCalendar()
codecs.open("t.txt", encoding="utf-8")
collections.ChainMap({})
collections.UserString("a")
collections.namedtuple("N", "a b")(1, 2)
concurrent.futures.ThreadPoolExecutor()
concurrent.futures.ThreadPoolExecutor().submit(int)
configparser.ConfigParser()
contextlib.ExitStack()
contextlib.closing(io.StringIO())
contextlib.contextmanager(lambda: (yield))()
csv.DictReader(["a"])
csv.DictWriter(io.StringIO(), ["a"])
csv.reader(["a"])
dataclasses.field()
datetime.datetime.now()
decimal.Context()
difflib.HtmlDiff()
difflib.SequenceMatcher(None, "a", "b")
enum.Enum("E", "a").a
fractions.Fraction(1)
functools.cached_property(len)
functools.lru_cache(len)
functools.partial(int)
functools.singledispatch(len)
graphlib.TopologicalSorter()
gzip.open("t.txt")
hashlib.sha256()
hmac.new(b"a", b"b", "sha256")
html.parser.HTMLParser()
http.HTTPStatus.OK
io.BytesIO()
io.TextIOWrapper(io.BytesIO())
io.open("t.txt")
ipaddress.ip_interface("1.1.1.1/24")
itertools.groupby("a")
json.JSONDecoder()
json.JSONEncoder()
lzma.LZMADecompressor()
lzma.open("t.txt")
operator.methodcaller("a")
os.scandir(".")
os.stat(".")
os.walk(".")
pathlib.Path("t.txt")
pathlib.Path("t.txt").open()
pathlib.Path("t.txt").parents
pathlib.PureWindowsPath("a")
pprint.PrettyPrinter()
queue.Queue()
random.Random()
re.compile("(a)")
re.match("(a)", "a")
sqlite3.connect(":memory:")
sqlite3.connect(":memory:").execute("select 1")
statistics.NormalDist()
string.Template("a")
struct.Struct("b")
tarfile.open("t.tar")
tarfile.open("t.tar").extractfile("t.txt")
tarfile.open("t.tar").getmembers()[0]
tempfile.NamedTemporaryFile()
tempfile.SpooledTemporaryFile()
tempfile.TemporaryDirectory()
textwrap.TextWrapper()
threading.Event()
threading.Semaphore()
time.localtime()
types.MappingProxyType({})
typing.Annotated[int, 1]
typing.List[int]
typing.NewType("A", int)
typing.TypeVar("T")
urllib.error.HTTPError("u", 1, "m", {}, None)
urllib.parse.urlsplit("http://a/b")
uuid.uuid4()
weakref.WeakKeyDictionary()
xml.dom.minidom.Document()
xml.dom.minidom.parseString("<a b='c'>t<!--x--></a>")
xml.dom.minidom.parseString("<a b='c'>t</a>").documentElement
xml.etree.ElementTree.ElementTree()
xml.etree.ElementTree.XMLParser()
xml.etree.ElementTree.XMLPullParser()
zipfile.ZipFile("t.zip")
zipfile.ZipFile("t.zip").infolist()[0]
zipfile.ZipFile("t.zip").open("t.txt")
zoneinfo.ZoneInfo("UTC")
(one for one in "a")
AttributeError("a")
ImportError("a")
ExceptionGroup("a", [ValueError()])
StopIteration(1)
"".join
property(len)
"""


def leads_out(value: Any) -> str:
    """Say what a value is that no tool may have; nothing where there is no harm in it."""
    if isinstance(value, _INTERNAL):
        return type(value).__name__
    if id(value) in _NEVER:
        return _NEVER[id(value)]
    kind = value if isinstance(value, type) else type(value)
    if issubclass(kind, type) and isinstance(value, type):
        return "class of classes"
    module = kind.__module__ if isinstance(kind.__module__, str) else ""
    if module.partition(".")[0] in _LOADERS:
        return "loader"
    is_namespace = type(value) is dict and "__builtins__" in value
    return "globals" if is_namespace else ""


def can_be_named(name: str) -> bool:
    """Whether a tool may ask for an attribute; `__class__` has rules of its own."""
    attributes = CODE.attributes
    if name in attributes.forbidden or name == "__class__":
        return False
    listed = attributes.dunder_reads | attributes.private
    return not name.startswith("_") or name in listed


def parts(value: Any, named: Callable[[str], bool]) -> Iterator[tuple[str, Any]]:
    """Yield what a value has in attributes that may be named, and in itself."""
    names = {*dir(value), *(dir(type(value)) if isinstance(value, type) else ())}
    for name in sorted(filter(named, names)):
        try:
            yield f".{name}", getattr(value, name)
        except Exception:  # noqa: S112 - properties of the library may raise anything
            continue
    if isinstance(value, (dict, types.MappingProxyType)):
        yield from ((f"[{key!r}]", item) for key, item in [*value.items()][:200])
    elif type(value) in (list, tuple):
        yield from ((f"[{place}]", item) for place, item in enumerate(value[:50]))


def ways_out(
    path: str, value: Any, named: Callable[[str], bool] = can_be_named, depth: int = DEPTH
) -> Iterator[str]:
    """Yield each way from a value to what no tool may have."""
    level, seen, kept = [(path, value)], {id(value)}, [value]
    for step in range(depth + 1):
        found = [(place, each, leads_out(each)) for place, each in level]
        yield from (f"{place}: {what}" for place, _, what in found if what)
        if step == depth:
            return
        level = []
        for place, each, what in found:
            if what or type(each) in _LEAVES:
                continue
            for name, part in parts(each, named):
                if id(part) not in seen:
                    seen.add(id(part))
                    kept.append(part)  # or another value could get its identity
                    level.append((f"{place}{name}", part))


@pytest.fixture
def in_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("t.txt").write_text("a\n", encoding="utf-8")
    with zipfile.ZipFile("t.zip", "w") as archive:
        archive.write("t.txt")
    with tarfile.open("t.tar", "w") as tar:
        tar.add("t.txt")


@pytest.mark.parametrize("module", sorted(CODE.modules))
def test_no_exported_name_leads_out(module: str) -> None:
    imported = importlib.import_module(module)
    found = {
        way
        for name in sorted(CODE.modules[module].exports)
        if hasattr(imported, name)
        for way in ways_out(f"{module}.{name}", getattr(imported, name))
    }
    assert {way for way in found if way.partition(": ")[0] not in _GUARDED} == set()


@pytest.mark.usefixtures("in_folder")
@pytest.mark.parametrize("value", _VALUES.splitlines())
def test_nothing_that_they_give_leads_out(value: str) -> None:
    names = {module.partition(".")[0] for module in CODE.modules}
    for module in CODE.modules:
        importlib.import_module(module)
    namespace = {name: sys.modules[name] for name in names}

    async def made() -> Any:  # some want a running loop
        return eval(value, namespace)  # noqa: S307 - of the list above

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about files that nobody closes
        result = asyncio.run(made())
        assert set(ways_out(value, result)) == set()
        del result


def test_the_walk_finds_what_there_is_to_find() -> None:
    def public(name: str) -> bool:
        return not name.startswith("_")

    def running() -> Iterator[int]:
        yield 1

    assert "x.gi_frame: frame" in set(ways_out("x", running(), public))
    assert "x[0].codec: module" in set(
        ways_out("x", [types.SimpleNamespace(codec=io)], can_be_named)
    )
    assert set(ways_out("x", running())) == set()
