"""What a text is found to need of files, of the network and of other tools, and where."""

import pytest

from toolguild.policies import Capability, Tier
from toolguild.synth.validation.static import (
    EffectUse,
    SourceError,
    ToolUse,
    called_tools,
    examine,
    infer_effects,
)

READ, WRITE, NETWORK = Capability.READ, Capability.WRITE, Capability.NETWORK


def found(text: str) -> set[tuple[Capability, int]]:
    return {(use.capability, use.line) for use in infer_effects(text)}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("x = [1, 2]", set()),
        ("import json\njson.loads('1')", set()),
        ("def f(p):\n    return open(p).read()", {(READ, 2)}),
        (
            "def f(p):\n    with open(p, 'rb') as h, open(p, 'w'): pass",
            {(READ, 2), (WRITE, 2)},
        ),
        ("M = 'a'\nopen('x', M)", {(WRITE, 2)}),
        ("def f(p, m): open(p, m)", {(WRITE, 1)}),
        ("o = open", {(WRITE, 1)}),
        ("def open(p): pass\nopen('x')", {(READ, 2)}),
        ("def f(open): open('x', 'w')", set()),
        ("from pathlib import Path\nPath('x').read_text()", {(READ, 2)}),
        ("from pathlib import Path\nPath('x').open()", {(READ, 2)}),
        ("from pathlib import Path\nPath('x').open('w')", {(WRITE, 2)}),
        ("'x'.read_text()", set()),
        ("from pathlib import Path\ndef f(s): s.replace('a', 'b')", set()),
        ("from pathlib import Path\ndef f(d): d.replace(hour=1)", set()),
        ("from pathlib import Path\ndef f(p, q): p.replace(q)", {(WRITE, 2)}),
        ("from pathlib import Path\ndef f(d): d.copy()", set()),
        ("from pathlib import Path\ndef f(p): hasattr(p, 'exists')", {(READ, 2)}),
        ("import sqlite3\ndef f(c): c.execute('SELECT 1')", set()),
        ("import sqlite3\ndef f(c, n): c.execute(f'INSERT INTO t VALUES ({n})')", set()),
        ("import sqlite3\ndef f(c, n): c.execute(f'{n}')", {(WRITE, 2)}),
        ("import sqlite3\ndef f(c): c.execute(\"VACUUM INTO 'x'\")", {(WRITE, 2)}),
        ("import sqlite3\ndef f(c): c.executescript('SELECT 1; SELECT 2')", set()),
        ("import sqlite3\ndef f(c): c.execute(sql='x')", {(WRITE, 2)}),
        ("import sqlite3\nsqlite3.connect(':memory:')", set()),
        ("import sqlite3\nD = ':memory:'\nsqlite3.connect(database=D)", set()),
        ("import tarfile, io\ntarfile.open(fileobj=io.BytesIO(), mode='w')", set()),
        ("import tarfile\ndef tool(a, e): a.makedir(e, 'x')", {(WRITE, 2)}),
        ("import zipfile\nzipfile.ZipInfo.from_file('x')", {(READ, 2)}),
        ("import gzip, io\ngzip.GzipFile(fileobj=io.BytesIO(), mode='w')", set()),
        ("import gzip, io\ngzip.open(io.BytesIO(), 'w')", set()),
        ("import io\ndef f(p): open(p, io.BytesIO())", {(WRITE, 2)}),
        ("import xml.etree.ElementTree as E\ndef f(e): E.ElementTree(e)", set()),
        ("import xml.etree.ElementTree as E\ndef f(a): E.ElementTree(*a)", {(READ, 2)}),
        ("def f(a): return type(a)(1)", set()),
        ("import os\nos.makedirs('x')\nos.listdir('x')", {(WRITE, 2), (READ, 3)}),
        ("import gzip\ngzip.open('x')", {(READ, 2)}),
        ("import io, zipfile\nb = io.BytesIO()\nzipfile.ZipFile(b, 'w')", set()),
        ("import zipfile\nzipfile.ZipFile('x', 'w')", {(WRITE, 2)}),
        ("import requests", {(NETWORK, 1)}),
        ("from urllib import request", {(NETWORK, 1)}),
        ("import urllib.request as r\nr.urlopen('x')", {(NETWORK, 1), (NETWORK, 2)}),
        ("import xml.etree.ElementTree as E\nE.parse('x').write('y')", {(READ, 2), (WRITE, 2)}),
    ],
)
def test_effects_are_inferred_with_their_lines(
    text: str, expected: set[tuple[Capability, int]]
) -> None:
    assert found(text) == expected


def test_effects_say_where_and_what_causes_them_in_order() -> None:
    uses = infer_effects("import os\ndef f(p):\n    os.remove(p)\n    return 'é', open(p)")
    assert uses == [EffectUse(3, 5, WRITE, "os.remove"), EffectUse(4, 17, READ, "open")]
    assert uses[0].to_json() == {
        "line": 3, "column": 5, "capability": "write", "what": "os.remove",
    }  # fmt: skip


def test_an_examination_tells_needs_tools_and_the_lowest_tier() -> None:
    told = examine("def f(p):\n    open(p)\n    return call_tool('a', {})", Tier.FULL)
    assert told.needs == {READ}
    assert told.tools == (ToolUse(3, 12, "a"),)
    assert told.lowest_tier is Tier.SANDBOX
    assert examine("import os\ndef f(p): os.remove(p)", Tier.FULL).lowest_tier is Tier.RESTRICTED
    assert examine("import urllib.request", Tier.FULL).lowest_tier is Tier.FULL


def test_a_text_that_cannot_be_parsed_needs_nothing_and_is_refused() -> None:
    told = examine("import os\ndef", Tier.FULL)
    assert (told.refused, told.effects, told.tools) == (True, (), ())


def test_called_tools_are_named_once_in_order() -> None:
    text = (
        "def f(n):\n    call_tool('b', {})\n    call_tool(name='a', arguments={})\n"
        "    call_tool('b', {})\n    call_tool(n, {})"
    )
    assert called_tools(text) == ("b", "a")


def test_text_that_is_no_python_is_an_error_here() -> None:
    with pytest.raises(SourceError):
        infer_effects("def")
    with pytest.raises(ValueError, match="nested"):
        called_tools("-" * 50_000 + "1")
