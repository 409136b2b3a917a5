"""Ordinary programs that work on files, behind the wall and with the capability that they need."""

from __future__ import annotations

import bz2
import gzip
import json
import lzma
import shutil
import sqlite3
import tarfile
import textwrap
import zipfile
from pathlib import Path

import pytest

LINES = "name,amount\nz\u00fcri,2.5\nbern,4\n"

READING = {
    "open": """
        def tool():
            with open("data.csv", encoding="utf-8", newline="") as file:
                first = next(file)
                place = file.readable()
                rest = [line.rstrip() for line in file]
            with open("data.csv", "rb") as file:
                file.seek(5)
                some = file.read(6).decode(), file.tell(), file.name, file.mode, file.closed
            with open("data.csv", "rb", buffering=0) as file: raw = len(file.readall())
            with open(file="data.csv", mode="rt", encoding="utf-8", errors="strict") as file:
                text = file.buffer.read().decode()
            into = bytearray(4)
            with open(b"data.csv", "rb") as file: file.readinto(into)
            return [first, place, rest, some, raw, text, into.decode(), file.closed]
        """,
    "csv, json, toml, configparser": """
        import configparser, csv, json, tomllib
        from configparser import ConfigParser
        def tool():
            with open("data.csv", newline="", encoding="utf-8") as file:
                rows = list(csv.DictReader(file))
            with open("data.json") as file: data = json.load(file)
            with open("data.toml", "rb") as file: toml = tomllib.load(file)
            parser = ConfigParser()
            read = parser.read("data.ini")
            return [rows, data, toml, read, parser["a"]["b"]]
        """,
    "pathlib": """
        from pathlib import Path
        def tool():
            path = Path("data.csv")
            here = Path(".")
            with path.open(encoding="utf-8") as file: first = file.readline()
            return [path.exists(), path.is_file(), path.stat().st_size, path.read_text("utf-8"),
                    len(path.read_bytes()), sorted(p.name for p in here.glob("*.json")), first,
                    sorted(p.name for p in here.iterdir()), sorted(map(str, here.rglob("n*"))),
                    path.resolve().name, path.suffix, path.with_suffix(".x").exists(),
                    "a-b".replace("-", "+")]
        """,
    "os and glob": """
        import glob, os, os.path
        from os.path import getsize, isfile
        def tool():
            with os.scandir(".") as found: names = sorted(entry.name for entry in found)
            walked = [(top, sorted(folders), sorted(files)) for top, folders, files in os.walk(".")]
            return [names, sorted(os.listdir()), walked, os.path.exists("no"), isfile("data.csv"),
                    getsize("data.csv"), os.path.isdir("inner"), os.stat("data.csv").st_size,
                    sorted(glob.glob("*.csv")), list(glob.iglob("inner/*")), os.path.join("a", "b"),
                    os.path.samefile("data.csv", "./data.csv"), os.getcwd() != ""]
        """,
    "packed": """
        import bz2, codecs, gzip, io, lzma
        from gzip import GzipFile
        def tool():
            with gzip.open("data.gz", "rt", encoding="utf-8") as file: first = file.read()
            with GzipFile("data.gz") as file: second = file.read().decode()
            with bz2.open("data.bz2", mode="rt", encoding="utf-8") as file: third = file.read()
            with lzma.open("data.xz") as file: fourth = file.read().decode()
            with codecs.open("data.csv", "r", "utf-8") as file: fifth = list(file)
            with codecs.open("data.csv", encoding="utf-8") as file: sixth = file.read()
            with io.open("data.csv", encoding="utf-8") as file: seventh = file.read()
            memory = io.BytesIO()
            with gzip.open(memory, "wb") as file: file.write(b"x")
            with open("data.gz", "rb") as outer, gzip.open(outer) as file:
                eighth = file.read().decode()
            return [first, second, third, fourth, fifth, sixth, seventh, eighth,
                    gzip.decompress(memory.getvalue()).decode(), isinstance(file, gzip.GzipFile)]
        """,
    "archives": """
        import io, tarfile, zipfile
        from zipfile import ZipFile
        def tool():
            with ZipFile("data.zip") as archive:
                names, text = archive.namelist(), archive.read("data.csv").decode()
                with archive.open("data.csv") as file: first = file.readline().decode()
            with open("data.zip", "rb") as file: again = zipfile.ZipFile(file).namelist()
            with tarfile.open("data.tgz") as archive:
                members = [(member.name, member.size) for member in archive]
                inner = archive.extractfile("data.csv").read().decode()
            with tarfile.open("data.tgz", "r|gz") as archive: piped = [m.name for m in archive]
            return [names, text, first, again, members, inner, piped,
                    zipfile.is_zipfile("data.zip"), tarfile.is_tarfile("data.csv"),
                    isinstance(ZipFile(io.BytesIO(), "w"), zipfile.ZipFile)]
        """,
    "trees, hashes, wrappers": """
        import hashlib, io, shutil
        import xml.etree.ElementTree as ET
        from xml.etree import ElementTree
        def tool():
            tree = ET.parse("data.xml")
            events = [element.tag for _, element in ElementTree.iterparse("data.xml")]
            with open("data.csv", "rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
            with open("data.csv", "rb") as file: lines = io.TextIOWrapper(file, "utf-8").readlines()
            out = io.StringIO()
            with open("data.csv", encoding="utf-8") as file: shutil.copyfileobj(file, out)
            tree.write(out, encoding="unicode")
            return [tree.getroot().tag, events, digest, lines, out.getvalue()]
        """,
    "a database": """
        import sqlite3
        def tool():
            connection = sqlite3.connect("file:data.db?mode=ro", uri=True)
            connection.row_factory = sqlite3.Row
            rows = [dict(row) for row in connection.execute("select * from t")]
            memory = sqlite3.connect(":memory:")
            memory.execute("create table t(x)")
            memory.executemany("insert into t values (?)", [(1,), (2,)])
            return [rows, memory.execute("select sum(x) from t").fetchone()[0]]
        """,
    "failures": """
        def tool():
            found = []
            for path, mode in (("no", "r"), ("inner", "r"), ("data.csv", "q"), ("data.csv", "rbt")):
                try: open(path, mode)
                except (OSError, ValueError) as error:
                    found.append([type(error).__name__, str(error)])
            for path in (None, 1.5, []):
                try: open(path)
                except TypeError as error: found.append(str(error))
            return found
        """,
}

WRITING = {
    "open": """
        import csv, json
        def tool():
            with open("new.txt", "w", encoding="utf-8") as file:
                wrote = file.write("a\\n")
                print("b", file=file)
            with open("new.txt", "a") as file: file.writelines(["c\\n"])
            with open("new.bin", "xb") as file: file.write(b"123")
            with open("new.bin", "r+b") as file: file.seek(1); file.write(b"x"); file.truncate(2)
            with open("new.bin", "wb", 0) as file: file.write(b"45")
            with open("new.csv", "w", newline="") as file:
                csv.writer(file, lineterminator="\\n").writerows([["k", "v"], ["a", 1]])
            with open("new.json", "w") as file: json.dump({"a": [1]}, file)
            with open("new.txt") as file: return [wrote, file.read()]
        """,
    "pathlib": """
        from pathlib import Path
        def tool():
            folder = Path("new/inner")
            folder.mkdir(parents=True)
            path = folder / "a.txt"
            path.write_text("a")
            (folder / "b").write_bytes(b"b")
            path = path.rename(folder / "c.txt")
            path = path.replace(folder / "d.txt")
            path.touch()
            (folder / "b").unlink()
            with path.open("a") as file: file.write("x")
            return [path.read_text(), sorted(map(str, Path("new").rglob("*")))]
        """,
    "os and shutil": """
        import os, shutil
        def tool():
            os.makedirs("new/a/b", exist_ok=True)
            os.mkdir("new/c")
            shutil.copy("data.csv", "new/a")
            shutil.copyfile("data.csv", "new/copy.csv")
            os.rename("new/copy.csv", "new/moved.csv")
            os.replace("new/moved.csv", "new/again.csv")
            shutil.copytree("new/a", "new/d")
            shutil.move("new/d", "new/e")
            os.rmdir("new/c")
            shutil.rmtree("new/a", ignore_errors=True)
            os.remove("data.json")
            os.truncate("new/again.csv", 4)
            return sorted(os.listdir("new"))
        """,
    "packed": """
        import bz2, codecs, gzip, lzma
        def tool():
            with gzip.open("new.gz", "wt") as file: file.write("a")
            with bz2.open("new.bz2", "wb") as file: file.write(b"b")
            with lzma.open("new.xz", "wb") as file: file.write(b"c")
            with codecs.open("new.txt", "w", "utf-16") as file: file.write("d")
            with gzip.open("new.gz", "rt") as file: first = file.read()
            return [first, bz2.open("new.bz2").read().decode(), lzma.open("new.xz").read().decode()]
        """,
    "archives": """
        import io, tarfile, zipfile
        def tool():
            with zipfile.ZipFile("new.zip", "w", zipfile.ZIP_DEFLATED) as archive:
                archive.writestr("a.txt", "a")
                archive.write("data.csv")
            with zipfile.ZipFile("new.zip", "a") as archive: archive.writestr("b.txt", "b")
            with zipfile.ZipFile("new.zip") as archive: archive.extractall("unpacked")
            with tarfile.open("new.tar.gz", "w:gz") as archive: archive.add("data.csv")
            with tarfile.open("new.tar.gz") as archive: archive.extractall("untarred")
            with open("unpacked/data.csv") as one, open("untarred/data.csv") as other:
                return [one.read() == other.read(), sorted(zipfile.ZipFile("new.zip").namelist())]
        """,
    "a database": """
        import sqlite3
        def tool():
            with sqlite3.connect("new.db") as connection:
                connection.execute("create table t(x)")
                connection.executemany("insert into t values (?)", [(n,) for n in range(3)])
            connection.close()
            with sqlite3.connect(database="data.db") as connection:
                connection.execute("attach 'new.db' as other")
                rows = connection.execute("select x from other.t").fetchall()
                connection.execute("vacuum")
            return [rows, isinstance(connection, sqlite3.Connection)]
        """,
    "temporary files": """
        import os, tempfile
        def tool():
            with tempfile.NamedTemporaryFile("w+", dir=".", suffix=".txt") as file:
                file.write("a"); file.flush(); file.seek(0)
                found = [file.read(), file.name.endswith(".txt"), os.path.exists(file.name)]
            with tempfile.TemporaryDirectory(dir=".") as folder:
                with open(os.path.join(folder, "x"), "w") as file: file.write("x")
                found += [os.listdir(folder)]
            with tempfile.TemporaryFile(dir=".") as file: file.write(b"1")
            with tempfile.SpooledTemporaryFile(max_size=2, dir=".") as file:
                file.write(b"123"); file.seek(0); found.append(file.read().decode())
            made = tempfile.mkdtemp(dir=".")
            os.rmdir(made)
            return [*found, os.path.exists(folder), len(tempfile.gettempdir()) > 0]
        """,
    "trees": """
        import xml.etree.ElementTree as ET
        def tool():
            tree = ET.parse("data.xml")
            tree.getroot().set("k", "v")
            tree.write("new.xml", encoding="utf-8", xml_declaration=True)
            return open("new.xml").read()
        """,
}

WITHOUT = {
    "archives in memory": """
        import io, tarfile, zipfile
        def tool():
            memory = io.BytesIO()
            with zipfile.ZipFile(memory, "w") as archive: archive.writestr("a", "1")
            with zipfile.ZipFile(memory) as archive: first = archive.read("a").decode()
            tar = io.BytesIO()
            with tarfile.open(fileobj=tar, mode="w:gz") as archive:
                info = tarfile.TarInfo("b"); info.size = 2
                archive.addfile(info, io.BytesIO(b"22"))
            tar.seek(0)
            with tarfile.open(fileobj=tar) as archive:
                return [first, archive.extractfile("b").read().decode()]
        """,
    "packed in memory": """
        import bz2, gzip, io, lzma
        def tool():
            memory = io.BytesIO()
            with gzip.GzipFile("named", "wb", fileobj=memory) as file: file.write(b"a")
            packed = io.BytesIO(bz2.compress(b"b"))
            return [gzip.GzipFile(fileobj=io.BytesIO(memory.getvalue())).read().decode(),
                    bz2.open(packed).read().decode(),
                    lzma.open(io.BytesIO(lzma.compress(b"c"))).read().decode()]
        """,
    "what the library reads of its own": """
        import mimetypes, traceback, warnings
        from datetime import datetime
        from zoneinfo import ZoneInfo
        def tool():
            try: ZoneInfo("../../etc/passwd")
            except Exception as error: failed = type(error).__name__
            when = datetime(2024, 7, 1, 12, tzinfo=ZoneInfo("Europe/Berlin"))
            try: [].pop()
            except IndexError: told = "in tool" in traceback.format_exc()
            warnings.warn("something")
            return [failed, when.isoformat(), told, mimetypes.guess_type("a.csv")[0]]
        """,
    "submodules": """
        from xml.etree import ElementTree
        from concurrent import futures
        from urllib import parse
        from xml.dom import minidom
        from collections import abc
        import os.path as path
        def tool():
            return [ElementTree.fromstring("<a/>").tag, parse.quote("a b"), path.join("a", "b"),
                    isinstance([], abc.Sequence), minidom.parseString("<a/>").toxml(),
                    futures.FIRST_COMPLETED]
        """,
    "fields named as methods": """
        import contextlib, json
        from dataclasses import dataclass
        from typing import NamedTuple
        @dataclass
        class Image:
            format: str
            register: int = 0
        class Row(NamedTuple):
            format: str
        class Column:
            def __init__(self, format): self.format = format
        @contextlib.contextmanager
        def opened(): yield "opened"
        def tool():
            with Column(opened).format() as inside: pass
            image = Image("png")
            match image:
                case Image(kind): pass
            return [image.format, image.register, Row("x").format, kind, inside,
                    Column(json.dumps).format([1]), Column(str.upper).format("a"),
                    Column("{}!".format).format(1), Column(lambda x: x).format(2)]
        """,
    "patterns that capture": """
        class P:
            __match_args__ = ("x", "_y")
            def __init__(self): self.x, self._y = [1, {"k": type(self)}], 2
        seen = []
        def tool():
            global last
            match P():
                case P([first, {"k": kind, **rest}], second) if second > 5: seen.append("no")
                case P(x=[int(first) | str(first), *more]) as whole if first == 1:
                    last = first
                    seen.append([first, len(more), second, type(whole).__name__])
            match 3:
                case int(n) if n > 4: pass
                case int() | float() as m: pass
            return [seen, last, n, m]
        """,
    "hooks of classes": """
        import abc
        from collections import namedtuple
        class Base:
            kinds = []
            def __init_subclass__(cls, /, label="", **more):
                super().__init_subclass__(**more)
                cls.label, cls._hidden = label, len(Base.kinds)
                Base.kinds.append(cls.__name__)
        class Field:
            def __set_name__(self, owner, name):
                self.name = name
                owner.fields = [*getattr(owner, "fields", []), name]
            def __get__(self, instance, owner):
                return self if instance is None else instance._values[self.name]
            def __set__(self, instance, value): instance._values[self.name] = value
        class Row(Base, label="row"):
            a, b = Field(), Field()
            def __init__(self, a, b): self._values = {}; self.a, self.b = a, b
        class Single:
            _only = None
            def __new__(cls):
                if cls._only is None: cls._only = super().__new__(cls)
                return cls._only
        class Point(namedtuple("Point", "x y")):
            def __new__(cls, x, y=5): return super().__new__(cls, x, y)
        def registered(cls): cls.tag = cls.__name__.lower(); return cls
        @registered
        class Tagged(abc.ABC): pass
        Pair = namedtuple("Pair", ["left", "right"], defaults=[2])
        def tool():
            row = Row(1, 2)
            row.b += 1
            Pair.total = property(lambda self: self.left + self.right)
            return [Base.kinds, Row.label, Row._hidden, Row.fields, row.a, row.b, Row.a.name,
                    Single() is Single(), Point(1).y, Tagged.tag, Pair(1).total, Pair(3)._asdict()]
        """,
    "copies and enums with a constructor": """
        import collections, copy, decimal, enum, functools
        from dataclasses import dataclass, field, replace
        class Slots:
            __slots__ = ("a", "_b")
            def __init__(self, a): self.a, self._b = a, [a]
        class Plain:
            def __init__(self): self.items, self._hidden = [1, [2]], {"k": self}
        class Own:
            def __copy__(self): return "copied"
            def __deepcopy__(self, memo): return "deeply"
        @dataclass(frozen=True, slots=True)
        class Frozen:
            a: list = field(default_factory=list)
        class Words(collections.UserDict): pass
        class Planet(enum.Enum):
            EARTH = (5.9, 6.4)
            def __init__(self, mass, radius): self.mass, self.radius = mass, radius
        class Coordinate(bytes, enum.Enum):
            def __new__(cls, value, label):
                made = bytes.__new__(cls, [value])
                made._value_, made.label = value, label
                return made
            PX = (0, "P.X")
            PY = (1, "P.Y")
        class Auto(enum.Flag):
            A = enum.auto(); B = enum.auto()
        class Failed(Exception):
            def __init__(self, code): super().__init__(code); self.code = code
        def tool():
            slots, plain = copy.deepcopy(Slots(3)), copy.deepcopy(Plain())
            shallow = copy.copy(plain)
            words = copy.copy(Words(a=1)); words["b"] = 2
            listed = copy.copy(collections.UserList([1, 2])); listed.append(3)
            failed = copy.copy(Failed(7))
            return [slots.a, slots._b, plain.items, plain._hidden["k"] is plain,
                    shallow.items is plain.items, copy.copy(Own()), copy.deepcopy([Own()]),
                    copy.deepcopy(Frozen([1])).a, replace(Frozen([1]), a=[2]).a, dict(words),
                    listed, Planet.EARTH.mass, copy.deepcopy(Planet.EARTH) is Planet.EARTH,
                    Coordinate.PY.label, Coordinate(0).name, Auto.A | Auto.B, failed.code,
                    copy.copy(collections.Counter("aab")), copy.deepcopy(decimal.Decimal("1.5")),
                    copy.copy(functools.partial(int, base=2))("11"), next(copy.copy(iter([1, 2]))),
                    sorted(copy.copy(iter({1, 2}))), copy.deepcopy(collections.deque([1], 2))]
        """,
    "own classes of many bases": """
        import abc, collections, enum, json, random, string
        from collections import OrderedDict, UserDict, namedtuple
        from contextlib import AbstractContextManager, ContextDecorator
        from html.parser import HTMLParser
        from typing import Generic, NamedTuple, Protocol, TypedDict, TypeVar
        T = TypeVar("T")
        class A(UserDict): pass
        class B(dict[str, int]): pass
        class C(json.JSONEncoder):
            def default(self, value): return repr(value)
        class D(HTMLParser):
            def handle_starttag(self, tag, attributes): self.found = tag
        class E(namedtuple("Base", "x y")):
            @property
            def total(self): return self.x + self.y
        class F(Generic[T]): pass
        class G(F[int]): pass
        class H(json.JSONDecodeError): pass
        class I(AbstractContextManager, ContextDecorator):
            def __exit__(self, *exc): return True
        class J(TypedDict, total=False): a: int
        class K(NamedTuple): a: int
        class L(string.Template): delimiter = "%"
        class M(collections.abc.Sequence):
            def __len__(self): return 2
            def __getitem__(self, i): return [5, 6][i]
        class N(KeyError, ValueError): pass
        class O(abc.ABC): pass
        O.register(int)
        O.register(A)
        def tool():
            Colour = enum.Enum("Colour", "RED GREEN")
            Size = enum.IntEnum("Size", {"BIG": 3}, module=__name__)
            Shape = enum.Enum("Shape", [("ROUND", "o")], type=str)
            parser = D(); parser.feed("<p>")
            with I(): raise KeyError
            return [A(x=1)["x"], B(a=1)["a"], C().encode({1, }), parser.found, E(1, 2).total,
                    isinstance(G(), F), J(a=1), K(2).a, L("%x").substitute(x=1), list(M()),
                    [c.name for c in Colour], Size.BIG + 1, str(N("x")), Shape.ROUND + "!",
                    isinstance(3, O), isinstance(A(), O), random.Random(1).randint(1, 1)]
        """,
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a file of each kind that the programs read."""
    packed = LINES.encode()
    (tmp_path / "data.csv").write_bytes(packed)
    (tmp_path / "data.json").write_text('{"a": [1, 2]}')
    (tmp_path / "data.toml").write_text("a = 1\n")
    (tmp_path / "data.ini").write_text("[a]\nb = 1\n")
    (tmp_path / "data.xml").write_text("<a><b>1</b></a>")
    (tmp_path / "data.gz").write_bytes(gzip.compress(packed, mtime=0))
    (tmp_path / "data.bz2").write_bytes(bz2.compress(packed))
    (tmp_path / "data.xz").write_bytes(lzma.compress(packed))
    with zipfile.ZipFile(tmp_path / "data.zip", "w") as archive:
        archive.write(tmp_path / "data.csv", "data.csv")
    with tarfile.open(tmp_path / "data.tgz", "w:gz") as archive:
        archive.add(tmp_path / "data.csv", "data.csv")
    connection = sqlite3.connect(tmp_path / "data.db")
    with connection:
        connection.execute("create table t(a, b)")
        connection.execute("insert into t values (1, 'x')")
    connection.close()
    (tmp_path / "inner").mkdir()
    (tmp_path / "inner" / "note.txt").write_text("note")
    return tmp_path


def names(folder: Path) -> dict[str, str | None]:
    """What is in a folder, with the content of what is text."""
    return {
        str(path.relative_to(folder)): path.read_bytes().decode("latin-1")
        if path.suffix in (".txt", ".csv", ".json", ".xml", ".bin")
        else None
        for path in folder.rglob("*")
        if path.is_file()
    }


def both(alone, folder: Path, source: str, capabilities: tuple[str, ...]):
    """Run a program behind the wall and without, each in a copy of the folder of its own."""
    results = []
    for walled in (True, False):
        copy = folder.parent / f"{folder.name}-{walled}" / "work"
        shutil.copytree(folder, copy)
        [ending] = alone([textwrap.dedent(source)], capabilities, copy, walled=walled)
        results.append((ending.kind, ending.what, names(copy)))
    return results


@pytest.mark.parametrize("source", WITHOUT.values(), ids=WITHOUT.keys())
def test_programs_without_files_mean_the_same(alone, folder, source) -> None:
    walled, plain = both(alone, folder, source, ())
    assert plain[0] == "value", plain
    assert walled == plain


@pytest.mark.parametrize("source", READING.values(), ids=READING.keys())
def test_programs_that_read_mean_the_same(alone, folder, source) -> None:
    walled, plain = both(alone, folder, source, ("read",))
    assert plain[0] == "value", plain
    assert walled == plain


@pytest.mark.parametrize("source", [*READING.values(), *WRITING.values()])
def test_programs_that_write_mean_the_same(alone, folder, source) -> None:
    walled, plain = both(alone, folder, source, ("write",))
    assert plain[0] == "value", plain
    assert walled == plain


@pytest.mark.traces
def test_every_ordinary_tool_gives_what_is_expected(alone, shared, tmp_path) -> None:
    path = shared / "corpora" / "benign.jsonl"
    if not path.is_file():
        pytest.skip(f"no corpora in {shared}; set TOOLGUILD_SHARED to where they are")
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    needs = {"files-read": ("read",), "files-write": ("read", "write")}
    jobs: dict[tuple[str, ...], list] = {(): [], **{names: [] for names in needs.values()}}
    for row in rows:
        folder = tmp_path / row["id"]
        folder.mkdir()
        for name, content in row["files"].items():
            (folder / name).write_text(content, encoding="utf-8")
        for case in json.loads(json.dumps(row["cases"]).replace("{dir}", str(folder))):
            jobs[needs.get(row["category"], ())].append((row, case))
    for capabilities, tools in jobs.items():
        assert tools, capabilities
        endings = alone([(row["code"], case["args"]) for row, case in tools], capabilities)
        for (row, case), ending in zip(tools, endings, strict=True):
            assert ending.value == case["expected"], f"{row['name']}: {ending}"
