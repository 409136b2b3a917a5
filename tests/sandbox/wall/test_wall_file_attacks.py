"""Programs that try to get more of files than their capabilities give, with the wall alone."""

from __future__ import annotations

import gzip
import sqlite3
import tarfile
import zipfile
from pathlib import Path

import pytest

NOTE = "the content of the note"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with one file of each kind."""
    (tmp_path / "note.txt").write_text(NOTE)
    (tmp_path / "note.gz").write_bytes(gzip.compress(NOTE.encode()))
    (tmp_path / "conf.ini").write_text("[a]\nb = 1\n")
    (tmp_path / "tree.xml").write_text("<a/>")
    with zipfile.ZipFile(tmp_path / "note.zip", "w") as archive:
        archive.writestr("note.txt", NOTE)
    with tarfile.open(tmp_path / "note.tar", "w") as archive:
        archive.add(tmp_path / "note.txt", "note.txt")
    with sqlite3.connect(tmp_path / "note.db") as connection:
        connection.execute("create table t(note)")
    connection.close()
    return tmp_path


def tree(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


WITHOUT_FILES = {
    "open": "def tool(): return open('note.txt').read()",
    "open of the library's own": "def tool(): return open('/usr/lib/os-release').read()",
    "io.open": "import io\ndef tool(): return io.open('note.txt').read()",
    "gzip.open": "import gzip\ndef tool(): return str(gzip.open('note.gz').read())",
    "GzipFile": "import gzip\ndef tool(): return str(gzip.GzipFile('note.gz').read())",
    "bz2.open": "import bz2\ndef tool(): return str(bz2.open('note.txt'))",
    "lzma.open": "import lzma\ndef tool(): return str(lzma.open('note.txt'))",
    "codecs.open": "import codecs\ndef tool(): return codecs.open('note.txt').read()",
    "ZipFile": "import zipfile\ndef tool(): return zipfile.ZipFile('note.zip').namelist()",
    "ZipFile by super": """
import io, zipfile
def tool():
    archive = zipfile.ZipFile(io.BytesIO(), "w")
    archive.__init__("note.zip")
    return archive.namelist()
""",
    "ZipFile.write": """
import io, zipfile
def tool():
    memory = io.BytesIO()
    with zipfile.ZipFile(memory, "w") as archive: archive.write("note.txt")
    return str(zipfile.ZipFile(memory).read("note.txt"))
""",
    "tarfile.open": "import tarfile\ndef tool(): return tarfile.open('note.tar').getnames()",
    "tarfile.open of a pipe": """
import tarfile
def tool(): return tarfile.open('note.tar', 'r|').getnames()
""",
    "tarfile.open through an archive": """
import io, tarfile
def tool():
    archive = tarfile.open(fileobj=io.BytesIO(), mode="w")
    return archive.open("note.tar").getnames()
""",
    "TarFile.add": """
import io, tarfile
def tool():
    memory = io.BytesIO()
    with tarfile.open(fileobj=memory, mode="w") as archive: archive.add("note.txt")
    return str(memory.getvalue())
""",
    "TarFile by its class": """
import io, tarfile
def tool(): return type(tarfile.open(fileobj=io.BytesIO(), mode="w"))("note.tar").getnames()
""",
    "ConfigParser.read": """
import configparser
def tool():
    parser = configparser.ConfigParser()
    return parser.read("conf.ini")
""",
    "ElementTree.parse": """
import xml.etree.ElementTree as ET
def tool(): return ET.ElementTree(file="tree.xml").getroot().tag
""",
    "Path.read_text by data": """
import pathlib
def tool(): return getattr(pathlib.Path("note.txt"), "read_" + "text")()
""",
    "Path.open by data": """
import pathlib
def tool(): return getattr(pathlib.Path("note.txt"), "op" + "en")().read()
""",
    "Path.open by methodcaller": """
import operator, pathlib
def tool(): return operator.methodcaller("open")(pathlib.Path("note.txt")).read()
""",
    "Path.exists by a format": """
import pathlib
def tool(): return "{0.exists}".format(pathlib.Path("note.txt"))
""",
    "Path.exists by a pattern": """
import pathlib
def tool():
    match pathlib.Path("note.txt"):
        case object(exists=method): return method()
""",
    "os.path.exists": "import os\ndef tool(): return os.path.exists('note.txt')",
    "os.listdir by data": "import os\ndef tool(): return getattr(os, 'list' + 'dir')('.')",
    "glob": "import glob\ndef tool(): return glob.glob('*')",
    "sqlite3.connect": """
import sqlite3
def tool(): return sqlite3.connect("note.db").execute("select * from t").fetchall()
""",
    "sqlite3.connect to read": """
import sqlite3
def tool():
    connection = sqlite3.connect("file:note.db?mode=ro", uri=True)
    return connection.execute("select * from t").fetchall()
""",
    "sqlite3.connect by keyword": """
import sqlite3
def tool(): return str(sqlite3.connect(database="note.db"))
""",
    "ATTACH": """
import sqlite3
def tool():
    connection = sqlite3.connect(":memory:")
    connection.execute("attach 'note.db' as other")
    return connection.execute("select * from other.t").fetchall()
""",
    "connection made anew": """
import sqlite3
def tool():
    connection = sqlite3.connect(":memory:")
    connection.__init__("note.db")
    return connection.execute("select * from t").fetchall()
""",
    "connection by its class": """
import sqlite3
def tool(): return type(sqlite3.connect(":memory:"))("note.db").execute("select 1").fetchall()
""",
    "tempfile": "import tempfile\ndef tool(): return tempfile.TemporaryFile()",
    "Path.cwd": "import pathlib\ndef tool(): return str(pathlib.Path.cwd())",
    "Path.home": "import pathlib\ndef tool(): return str(pathlib.PosixPath.home())",
    "Path.owner": "import pathlib\ndef tool(): return pathlib.Path('note.txt').owner()",
    "Path.group": "import pathlib\ndef tool(): return pathlib.Path('note.txt').group()",
    "Path.is_mount": "import pathlib\ndef tool(): return pathlib.Path('/').is_mount()",
    "what is in an archive's entry": """
import zipfile
def tool(): return zipfile.ZipInfo.from_file("note.txt").file_size
""",
    "document builder": """
from xml.dom import minidom
def tool():
    builder = minidom.Document().implementation.createDOMBuilder(1, None)
    return builder.parseURI("file:note.txt")
""",
    "document builder by data": """
from xml.dom import minidom
def tool():
    return getattr(minidom.Document().implementation, "createDOM" + "Builder")(1, None)
""",
}

MAKING = """
import io, tarfile
def tool():
    entry = tarfile.TarInfo("made")
    with tarfile.open(fileobj=io.BytesIO(), mode="w") as archive:
        archive.{}
"""

WRITING = {
    **{
        f"archive.{call}": MAKING.format(call)
        for call in (
            "chmod(entry, 'note.txt')",
            "chown(entry, 'note.txt', False)",
            "makedir(entry, 'new')",
            "makefifo(entry, 'new')",
            "makefile(entry, 'new')",
            "makelink(entry, 'new')",
            "makeunknown(entry, 'new')",
            "utime(entry, 'note.txt')",
        )
    },
    "w": "def tool(): open('note.txt', 'w').write('x')",
    "a": "def tool(): open('note.txt', 'a').write('x')",
    "x": "def tool(): open('new.txt', 'x').write('x')",
    "r+": "def tool(): open('note.txt', 'r+').write('x')",
    "rb+": "def tool(): open('note.txt', 'rb+', 0).write(b'x')",
    "keyword": "def tool(): open('note.txt', mode='w').write('x')",
    "stars": "def tool(): open(*['note.txt', 'w'])",
    "keywords": "def tool(): open(**{'file': 'note.txt', 'mode': 'w'})",
    "partial": """
import functools
def tool(): functools.partial(open, mode="w")("note.txt").write("x")
""",
    "map": "def tool(): return list(map(open, ['note.txt'], ['w']))",
    "mode that lies": """
class Mode(str):
    def __str__(self): return "r"
    def __iter__(self): return iter("r")
    def __contains__(self, what): return False
    def __eq__(self, other): return True
    def __hash__(self): return hash("r")
def tool(): open("note.txt", Mode("w")).write("x")
""",
    "path that lies": """
class Name(str):
    def __index__(self): return 1
    def __str__(self): return "new.txt"
def tool(): open(Name("note.txt"), "w").write("x")
""",
    "io.open": "import io\ndef tool(): io.open('note.txt', 'w').write('x')",
    "codecs.open": "import codecs\ndef tool(): codecs.open('note.txt', 'w').write('x')",
    "gzip.open": "import gzip\ndef tool(): gzip.open('note.gz', 'wt').write('x')",
    "GzipFile": "import gzip\ndef tool(): gzip.GzipFile('note.gz', 'ab').write(b'x')",
    "bz2.open": "import bz2\ndef tool(): bz2.open('note.txt', 'w').write(b'x')",
    "lzma.open": "import lzma\ndef tool(): lzma.open('note.txt', 'w').write(b'x')",
    "ZipFile": "import zipfile\ndef tool(): zipfile.ZipFile('note.zip', 'a').writestr('x', 'x')",
    "ZipFile anew": """
import zipfile
def tool():
    archive = zipfile.ZipFile("note.zip")
    archive.__init__("note.zip", "w")
""",
    "ZipFile.extractall": """
import zipfile
def tool(): zipfile.ZipFile("note.zip").extractall("out")
""",
    "ZipFile.extract by data": """
import zipfile
def tool(): getattr(zipfile.ZipFile("note.zip"), "ex" + "tract")("note.txt", "out")
""",
    "tarfile.open": "import tarfile\ndef tool(): tarfile.open('new.tar', 'w:gz')",
    "tarfile.open of a pipe": "import tarfile\ndef tool(): tarfile.open('new.tar', 'w|')",
    "tarfile.open of a packed pipe": "import tarfile\ndef tool(): tarfile.open('new.tar', 'w|gz')",
    "tarfile.open with a mode that lies": """
import tarfile
class Mode(str):
    def split(self, *a): return ["w", ""]
    def __contains__(self, what): return what == "|"
def tool(): tarfile.open("new.tar", Mode("no"))
""",
    "TarFile by its class": """
import tarfile
def tool(): type(tarfile.open("note.tar"))("new.tar", "w")
""",
    "TarFile.extractall": "import tarfile\ndef tool(): tarfile.open('note.tar').extractall('out')",
    "Path.open": "import pathlib\ndef tool(): pathlib.Path('note.txt').open('w').write('x')",
    "Path.write_text": """
import pathlib
def tool(): getattr(pathlib.Path("note.txt"), "write_" + "text")("x")
""",
    "Path.replace": "import pathlib\ndef tool(): pathlib.Path('note.txt').replace('new.txt')",
    "Path.replace of the class": """
import pathlib
def tool(): pathlib.PosixPath.replace(pathlib.Path("note.txt"), "new.txt")
""",
    "Path.unlink": "import pathlib\ndef tool(): pathlib.Path('note.txt').unlink()",
    "ElementTree.write": """
import xml.etree.ElementTree as ET
def tool(): ET.ElementTree(ET.fromstring("<b/>")).write("tree.xml")
""",
    "os.remove": "import os\ndef tool(): os.remove('note.txt')",
    "os.rename by data": "import os\ndef tool(): getattr(os, 're' + 'name')('note.txt', 'new.txt')",
    "shutil.copy": "import shutil\ndef tool(): shutil.copy('note.txt', 'new.txt')",
    "raw file made anew": """
def tool():
    raw = open("note.txt", "rb").raw
    raw.__init__("note.txt", "w")
""",
    "raw file made anew by data": """
def tool(): getattr(open("note.txt").buffer.raw, "__in" + "it__")("note.txt", "w")
""",
    "raw file made anew by attrgetter": """
import operator
def tool(): operator.attrgetter("buffer.raw.__init__")(open("note.txt"))("note.txt", "w")
""",
    "raw file made anew by a caller": """
import operator
def tool(): operator.methodcaller("__init__", "note.txt", "w")(open("note.txt").buffer.raw)
""",
    "raw file made anew by a pattern": """
def tool():
    match open("note.txt").buffer.raw:
        case object(__init__=method): pass
    method("note.txt", "w")
""",
    "class of a raw file": """
def tool(): type(open("note.txt", "rb", 0))("note.txt", "w")
""",
    "class of a raw file by attribute": """
def tool(): open("note.txt").buffer.raw.__class__("note.txt", "w")
""",
    "class of a raw file by a pattern that fails": """
def tool():
    try:
        match open("note.txt").buffer.raw:
            case object(__class__=kind): pass
    except Exception: pass
    kind("note.txt", "w")
""",
    "class of a raw file in its own body": """
def tool():
    raw = open("note.txt").buffer.raw
    class Raw(type(raw)): pass
    Raw("note.txt", "w")
""",
    "stream of codecs": """
import codecs
def tool(): codecs.open("note.txt", encoding="utf-8").stream.raw.__init__("note.txt", "w")
""",
    "stream of a reader of codecs": """
import codecs
def tool(): type(codecs.open("note.txt", encoding="utf-8").reader.stream.raw)("note.txt", "w")
""",
    "detached": "def tool(): open('note.txt').detach().detach().__init__('note.txt', 'w')",
    "truncated": """
def tool():
    file = open("note.txt")
    file.buffer.raw.truncate(0)
""",
    "sqlite3.connect": """
import sqlite3
def tool(): sqlite3.connect("note.db").execute("insert into t values (1)").connection.commit()
""",
    "sqlite3.connect with two modes": """
import sqlite3
def tool():
    path = "file:note.db?mode=ro&mode=rwc"
    with sqlite3.connect(path, uri=True) as it: it.execute("insert into t values (1)")
""",
    "sqlite3.connect with a mode in code": """
import sqlite3
def tool():
    path = "file:note.db?mod%65=rwc&mode=ro"
    with sqlite3.connect(path, uri=True) as it: it.execute("insert into t values (1)")
""",
    "sqlite3.connect to read a file of that name": """
import sqlite3
def tool(): sqlite3.connect("file:new.db?mode=ro").execute("create table t(x)")
""",
    "written where it may be read": """
import sqlite3
def tool():
    with sqlite3.connect("file:note.db?mode=ro", uri=True) as it:
        it.execute("insert into t values (1)")
""",
    "ATTACH": """
import sqlite3
def tool():
    it = sqlite3.connect("file:note.db?mode=ro", uri=True)
    it.execute("attach 'new.db' as other")
    it.execute("create table other.t(x)")
""",
    "VACUUM INTO": """
import sqlite3
def tool(): sqlite3.connect("file:note.db?mode=ro", uri=True).execute("vacuum into 'new.db'")
""",
    "ATTACH with the limit lifted": """
import sqlite3
def tool():
    it = sqlite3.connect(":memory:")
    getattr(it, "set" + "limit")(7, 5)
    it.execute("attach 'new.db' as other")
    it.execute("create table other.t(x)")
""",
    "tempfile": "import tempfile\ndef tool(): tempfile.mkdtemp(dir='.')",
}

DESCRIPTORS = {
    "number": "def tool(): return open(1, 'w')",
    "truth": "def tool(): return open(True, 'w')",
    "index": """
class Index:
    def __index__(self): return 1
def tool(): return open(Index(), "w")
""",
    "text with an index": """
class Name(str):
    def __index__(self): return 1
def tool(): return open(Name("missing.txt")).fileno()
""",
    "of a file": "def tool(): return open(open('note.txt').fileno())",
    "opener": "def tool(): return open('note.txt', opener=lambda path, flags: 1)",
    "opener by position": """
def tool(): return open("note.txt", "r", -1, None, None, None, True, lambda path, flags: 1)
""",
    "closefd": "def tool(): return open('note.txt', closefd=False)",
    "io.open": "import io\ndef tool(): return io.open(0)",
    "codecs.open": "import codecs\ndef tool(): return codecs.open(0)",
    "GzipFile": "import gzip\ndef tool(): return gzip.GzipFile(0)",
    "is_zipfile": "import zipfile\ndef tool(): return str(zipfile.is_zipfile(0))",
    "is_tarfile": "import tarfile\ndef tool(): return str(tarfile.is_tarfile(1))",
    "parse": "import xml.etree.ElementTree as ET\ndef tool(): return ET.parse(0)",
    "configparser": """
import configparser
def tool(): return configparser.ConfigParser().read([0])
""",
    "os.stat": "import os\ndef tool(): return os.stat(0)",
    "os.stat by keyword": "import os\ndef tool(): return os.stat(path=0)",
    "os.stat beside one": "import os\ndef tool(): return os.stat('x', dir_fd=0)",
    "os.listdir": "import os\ndef tool(): return os.listdir(0)",
    "os.scandir": "import os\ndef tool(): return os.scandir(0)",
    "os.path.exists": "import os\ndef tool(): return os.path.exists(0)",
    "os.path.getsize": "import os\ndef tool(): return os.path.getsize(filename=0)",
    "os.path.isdir": "import os\ndef tool(): return os.path.isdir(s=0)",
    "os.path.samefile": "import os\ndef tool(): return os.path.samefile('note.txt', 0)",
    "glob": "import glob\ndef tool(): return glob.glob('*', dir_fd=0)",
    "disk_usage": "import shutil\ndef tool(): return shutil.disk_usage(0)",
    "copyfile": "import shutil\ndef tool(): return shutil.copyfile(0, 'new.txt')",
    "truncate": "import os\ndef tool(): return os.truncate(1, 0)",
    "utime": "import os\ndef tool(): return os.utime(1)",
    "rmtree": "import shutil\ndef tool(): return shutil.rmtree('x', dir_fd=0)",
    "rename": "import os\ndef tool(): return os.rename('a', 'b', src_dir_fd=0)",
}

# Keeps the buffer that a buffered reader lends it: a view of memory which is then freed.
_KEEPER = """
import io
kept = []
class Keeper:
    closed = False
    def readable(self): return True
    def seekable(self): return False
    def writable(self): return False
    def readinto(self, buffer):
        kept.append(buffer)
        return 0
"""

OBJECTS = {
    "buffered reader by its class": _KEEPER
    + """
def tool():
    type(open("note.txt", "rb"))(Keeper()).read(1)
    return kept
""",
    "buffered reader made anew": _KEEPER
    + """
def tool():
    reader = open("note.txt", "rb")
    reader.__init__(Keeper())
    reader.read(1)
    return kept
""",
    "buffered reader by super": _KEEPER
    + """
def tool():
    reader = open("note.txt", "rb")
    super(type(reader), reader).__init__(Keeper())
    return kept
""",
    "buffered reader of a gzip file": _KEEPER
    + """
import gzip
class Gzip(gzip.GzipFile):
    def peep(self): return self._buffer
def tool():
    type(Gzip(fileobj=io.BytesIO(gzip.compress(b"x"))).peep())(Keeper()).read(1)
    return kept
""",
    "buffered writer of a gzip file": """
import gzip, io
kept = []
class Gzip(gzip.GzipFile):
    def _write_raw(self, data): kept.append(data); return len(data)
def tool():
    Gzip(fileobj=io.BytesIO(), mode="wb").write(b"x")
    return len(kept)
""",
    "buffered reader of an archive": _KEEPER
    + """
import tarfile
def tool():
    member = tarfile.open("note.tar").extractfile("note.txt")
    class Reader(type(member)):
        def __init__(self, raw): super(type(member), self).__init__(raw)
    Reader(Keeper()).read(1)
    return kept
""",
    "class in an attribute of an archive": _KEEPER
    + """
import tarfile
def tool():
    Member = tarfile.open("note.tar").fileobject
    return str(Member)
""",
    "class by a hook ahead of its refusal": _KEEPER
    + """
import tarfile
found = []
class Spy:
    def __init_subclass__(cls): found.append(cls)
def tool():
    try:
        class Reader(Spy, type(tarfile.open("note.tar").extractfile("note.txt"))): pass
    except Exception: pass
    return str(found[0])
""",
    "class of a private function of an archive": """
import tarfile
def tool():
    archive = tarfile.open("note.tar")
    class Mode:
        def __contains__(self, what): return what == ":"
        def split(self, *a): return (object,), "gz"
    archive.OPEN_METH["gz"] = "__class__"
    return str(archive.open("X", Mode(), {"__match_args__": ("tb_frame",)}))
""",
    "that, by data": """
import tarfile
def tool(): return str(getattr(tarfile.open("note.tar"), "OPEN_" + "METH"))
""",
    "any attribute by a stream": """
import codecs, json
def tool():
    stream = codecs.open("note.txt", encoding="utf-8")
    class Stream(type(stream)):
        def __init__(self, stream): self.stream = stream
        def any(self, name): return super().__getattr__(name)
    return str(Stream(json.dumps).any("__globals__"))
""",
    "any attribute by a reader": """
import codecs
def tool():
    reader = codecs.open("note.txt", encoding="utf-8").reader
    return str(super(type(reader), reader).__getattr__("__dict__"))
""",
    "getattr of a stream": """
import codecs
def tool(): return str(codecs.open("note.txt", encoding="utf-8").__getattr__("__class__"))
""",
    "format of a file": """
def tool(): return "{0.buffer.raw.__init__.__self__.__class__.__mro__}".format(open("note.txt"))
""",
    "format of a class of files": """
def tool(): return "{0.__class__}".format(open("note.txt", "rb"))
""",
    "frame of a walk": "import os\ndef tool(): return str(os.walk('.').gi_frame)",
    "frame of a walk by data": """
import os
def tool(): return str(getattr(os.walk("."), "gi_" + "frame"))
""",
    "frame of a walk by format": """
import os
def tool(): return "{0.gi_frame.f_globals}".format(os.walk("."))
""",
    "frame of a glob": "import glob\ndef tool(): return str(glob.iglob('*').gi_frame.f_globals)",
    "code of open": "def tool(): return str(open.__code__)",
    "closure of open": "def tool(): return str(open.__closure__)",
    "what open wraps": "import os\ndef tool(): return str(os.listdir.__wrapped__)",
    "what open wraps by data": """
import os
def tool(): return str(getattr(os.listdir, "__wrap" + "ped__"))
""",
    "module of a function": "import os\ndef tool(): return str(os.listdir.__self__)",
    "globals of a walk": "import os\ndef tool(): return str(os.walk.__globals__)",
    "traceback of a failure": """
def tool():
    try: open("missing.txt")
    except OSError as error: return str(error.__traceback__)
""",
    "traceback of a refusal": """
def tool():
    try: open(0)
    except Exception as error: return str(error.__traceback__.tb_frame)
""",
    "frame of a refusal by format": """
def tool():
    try: open(0)
    except Exception as error: return "{0.__traceback__.tb_frame.f_back}".format(error)
""",
    "attribute of open": "def tool(): open.x = 1; return 'written'",
    "attribute of a file": "def tool(): open('note.txt').x = 1; return 'written'",
    "mode of a file": "def tool(): open('note.txt').mode = 'w'; return 'written'",
    "attribute of a path": """
import pathlib
def tool(): pathlib.Path("x").drive = 1; return "written"
""",
    "attribute of the class of a path": """
import pathlib
def tool(): pathlib.Path.open = 1; return "written"
""",
    "derived from a path": """
import pathlib
class Path(pathlib.PosixPath): pass
def tool(): return str(Path("x"))
""",
    "derived from an archive": """
import zipfile
class Archive(zipfile.ZipFile): pass
def tool(): return str(Archive)
""",
    "private of an archive": """
import zipfile
def tool(): return str(zipfile.ZipFile("note.zip")._lock)
""",
    "private of a reader of an archive": """
import zipfile
def tool(): return str(zipfile.ZipFile("note.zip").open("note.txt")._fileobj)
""",
    "copied file": "import copy\ndef tool(): return str(copy.copy(open('note.txt')))",
    "parser of a path": "import pathlib\ndef tool(): return str(pathlib.Path('x').parser)",
    "module in a path": "import pathlib\ndef tool(): return str(pathlib.Path('x')._flavour)",
    "functions of os by rmtree": """
import shutil
def tool():
    found = []
    shutil.rmtree("missing", onerror=lambda function, path, error: found.append(function))
    return str(found)
""",
    "functions of os by rmtree, by position": """
import shutil
def tool():
    found = []
    shutil.rmtree("missing", False, lambda function, path, error: found.append(function))
    return str(found)
""",
    "any attribute by a temporary file": """
import json, tempfile
def tool():
    wrapper = tempfile.NamedTemporaryFile(dir=".")
    class Wrapper(type(wrapper)):
        def __init__(self, file): self.file = file
        def any(self, name): return super().__getattr__(name)
    return str(Wrapper(json.dumps).any("__globals__"))
""",
    "any attribute by a temporary file's own": """
import tempfile
def tool():
    wrapper = tempfile.NamedTemporaryFile(dir=".")
    return str(super(type(wrapper), wrapper).__getattr__("__class__"))
""",
    "private of a temporary file": """
import tempfile
def tool(): return str(tempfile.NamedTemporaryFile(dir=".")._closer)
""",
    "derived from a temporary file": """
import tempfile
class Spool(tempfile.SpooledTemporaryFile): pass
def tool(): return str(Spool)
""",
    "library for sql": """
import sqlite3
def tool(): return str(sqlite3.connect(":memory:").enable_load_extension(True))
""",
}


def failures(endings, names) -> dict[str, object]:
    return {
        name: ending
        for name, ending in zip(names, endings, strict=True)
        if ending.kind not in ("refused", "error")
    }


def test_without_a_capability_no_file_is_touched(alone, folder) -> None:
    before = tree(folder)
    for attacks in (WITHOUT_FILES, WRITING, DESCRIPTORS):
        endings = alone(attacks.values(), (), folder)
        assert not failures(endings, attacks)
        assert not [ending for ending in endings if NOTE in ending.what]
    assert tree(folder) == before


def test_with_leave_to_read_nothing_is_written(alone, folder) -> None:
    before = tree(folder)
    assert not failures(alone(WRITING.values(), ("read",), folder), WRITING)
    assert tree(folder) == before


@pytest.mark.parametrize("capabilities", [("read",), ("write",), ("read", "write")], ids="+".join)
def test_file_descriptors_are_no_way_to_name_a_file(alone, folder, capabilities) -> None:
    assert not failures(alone(DESCRIPTORS.values(), capabilities, folder), DESCRIPTORS)


@pytest.mark.parametrize("capabilities", [(), ("read",), ("read", "write")], ids="+".join)
def test_what_files_and_archives_are_leads_nowhere(alone, folder, capabilities) -> None:
    assert not failures(alone(OBJECTS.values(), capabilities, folder), OBJECTS)
