"""Functions and servers as an agent's own tools."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from toolguild.agent.own_tools import (
    ToolSourceError,
    function_tool,
    load_functions,
    open_tools,
    tool,
)
from toolguild.policies import Capability
from toolguild.registry import ExternalTool
from toolguild.sandbox import ToolCallError

MODULE = '''
from toolguild.agent.own_tools import tool

@tool("read", "people")
def find_city(person: str) -> str:
    """Say where somebody lives."""
    return {"Ada": "Paris"}[person]

def _hidden() -> int:
    return 1

def keep(note: str, times: int = 1) -> list[str]:
    return [note] * times
'''

SERVER = '''
from mcp.server import MCPServer
from mcp.types import ToolAnnotations

server = MCPServer("a test", log_level="ERROR")

@server.tool(annotations=ToolAnnotations(read_only_hint=True))
def double(n: int) -> int:
    """Double a number."""
    return 2 * n

@server.tool()
def fail(why: str) -> str:
    raise ValueError(why)

@server.tool(annotations=ToolAnnotations(read_only_hint=True, open_world_hint=True))
def look(place: str) -> dict[str, str]:
    return {"place": place}

server.run()
'''


@pytest.fixture
def module(tmp_path) -> Iterator[str]:
    path = tmp_path / "my_tools.py"
    path.write_text(MODULE)
    yield str(path)
    sys.modules.pop("my_tools", None)


def test_a_modules_public_functions_are_tools(module) -> None:
    tools = load_functions(module)
    assert {*tools} == {"find_city", "keep"}
    city = tools["find_city"]
    assert (city.effect, city.categories) == ("read", ("people",))
    assert city.description == "Say where somebody lives."
    assert city.parameters["required"] == ["person"]
    assert tools["keep"].capability is Capability.WRITE
    assert tools["keep"].function(note="x", times=2) == ["x", "x"]


class Day(BaseModel):
    day: date


def next_year(day: Day) -> Day:
    return Day(day=day.day.replace(year=day.day.year + 1))


def test_arguments_and_results_are_converted_as_annotations_say() -> None:
    made = function_tool(next_year)
    assert made.function(day={"day": "2026-11-22"}) == {"day": "2027-11-22"}
    with pytest.raises(ToolCallError, match=r"day\.day: Input should be a valid date"):
        made.function(day={"day": "yesterday"})


class Strange:
    pass


def takes_strange(one: Strange) -> None:
    """Take what JSON cannot tell."""


def takes_by_place(one: int, /) -> None:
    """Take it by its place."""


async def waits() -> None:
    """Wait."""


@pytest.mark.parametrize(
    ("function", "problem"),
    [
        (takes_strange, "cannot be told in JSON"),
        (takes_by_place, "by their places"),
        (waits, "coroutine function"),
    ],
)
def test_functions_that_can_be_no_tools(function: Any, problem) -> None:
    with pytest.raises(ToolSourceError, match=problem):
        function_tool(function)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "has no tools"),
        ("x = 1 +", "SyntaxError"),
        ("1 / 0", "ZeroDivisionError"),
        ("raise SystemExit(3)", "SystemExit: 3"),
        ("TOOLS = {'show': print}", "print cannot be told"),
        ("TOOLS = {'one': 1}", "neither a function"),
        ("def f(): return 1\nTOOLS = {'a b': f}", "no name"),
    ],
)
def test_modules_without_tools(tmp_path: Path, text, problem) -> None:
    path = tmp_path / "no_tools.py"
    path.write_text(text)
    with pytest.raises(ToolSourceError) as raised:
        load_functions(str(path))
    assert str(path) in str(raised.value)
    assert problem in str(raised.value)


@pytest.mark.parametrize("where", ["/no/such/file.py", "no.such.module"])
def test_modules_that_are_not_there(where) -> None:
    with pytest.raises(ToolSourceError, match=where), open_tools([where]):
        pass


def test_two_sources_of_one_name(module, tmp_path) -> None:
    other = tmp_path / "others.py"
    other.write_text("def keep(note: str) -> None: ...")
    refused = pytest.raises(ToolSourceError, match="another source has a tool keep")
    with refused, open_tools([module, str(other)]):
        pass


def test_a_mark_leaves_the_function_as_it_is() -> None:
    @tool("network")
    def fetch(url: str) -> str:
        return url

    assert fetch("x") == "x"
    assert function_tool(fetch).effect == "network"


@pytest.fixture(scope="module")
def tools(tmp_path_factory) -> Iterator[dict[str, ExternalTool]]:
    pytest.importorskip("mcp")
    path = tmp_path_factory.mktemp("server") / "server.py"
    path.write_text(SERVER)
    with open_tools([f"mcp:{sys.executable} {path}"]) as tools:
        yield tools


class TestServers:
    def test_its_tools_and_what_it_says_of_them(self, tools) -> None:
        assert {name: tool.effect for name, tool in tools.items()} == {
            "double": "read",
            "fail": "unknown",
            "look": "network",
        }
        assert tools["double"].description == "Double a number."
        assert tools["double"].parameters["properties"]["n"]["type"] == "integer"

    def test_they_are_called(self, tools) -> None:
        assert tools["double"].function(n=4) == 8
        assert tools["look"].function(place="here") == {"place": "here"}

    def test_a_failure_is_one_of_the_call(self, tools) -> None:
        with pytest.raises(ToolCallError, match="tool fail"):
            tools["fail"].function(why="because")

    @pytest.mark.parametrize(
        "where", ["mcp:/no/such/server", f"mcp:{sys.executable} -c 1", "http://127.0.0.1:9/mcp"]
    )
    def test_there_is_none(self, where) -> None:
        with pytest.raises(ToolSourceError, match="no MCP server answers"), open_tools([where]):
            pass
