"""What a text is found to do to files and to the network, and which tools it calls."""

import pytest

from toolguild.policies import Capability
from toolguild.synth.validation.static import SourceError, called_tools, infer_effects

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


def test_effects_say_what_causes_them_in_order() -> None:
    uses = infer_effects("import os\ndef f(p):\n    os.remove(p)\n    return open(p)")
    assert [(use.line, use.what) for use in uses] == [(3, "os.remove"), (4, "open")]


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
