"""A coding agent that learns a project's conventions from review feedback.

A reviewer reads each module that is added to a project, and says in plain words what is not as the
project has it. The first thing that the reviews ask for becomes a lesson, without any model, which
later tasks of the like are told. As the next modules are written with that lesson in mind, reviews
ask for the next thing first: so each lesson rests on the one before, and undoing the first takes
back all of them.

The model writes modules as it would anywhere. It knows how to do otherwise, but does so only where
it is told to: see `write_module`.

Run it with `python -m examples.coding_conventions`.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence
from dataclasses import dataclass

from examples.plain_model import Seen, finish, plain_model
from examples.workplace import run, workplace
from toolguild.agent.evaluation import Evaluator, Score
from toolguild.agent.improvement import Lessons, TaskCase
from toolguild.agent.own_tools import function_tool, tool
from toolguild.agent.scripted import Calls, Turn

PROJECT: dict[str, str] = {}
"""The files of the project, by their paths; each task begins with none."""

WANTED = (
    ("slugs", "slug", "makes a slug of a title"),
    ("prices", "gross", "adds the tax to a price"),
    ("names", "initials", "gives the initials of a name"),
    ("dates", "weekday", "names the weekday of a date"),
    ("colours", "mixed", "mixes a colour with white"),
    ("routes", "distance", "measures the length of a route"),
    ("seats", "free", "finds a seat next to another"),
    ("units", "inches", "converts a length to inches"),
)


@tool("write")
def write_file(path: str, text: str) -> str:
    """Write a file of the project.

    Args:
        path: Its path in the project.
        text: What it is to hold.
    """
    PROJECT[path] = text
    return f"{path} is written"


@tool("read")
def read_file(path: str) -> str:
    """Read a file of the project.

    Args:
        path: Its path in the project.
    """
    return PROJECT[path]


@tool("write")
def remove_file(path: str) -> str:
    """Remove a file of the project.

    Args:
        path: Its path in the project.
    """
    del PROJECT[path]
    return f"{path} is removed"


TOOLS = {one.__name__: function_tool(one) for one in (write_file, read_file, remove_file)}


def _functions_in(text: str) -> list[ast.FunctionDef]:
    try:
        tree = ast.parse(text)
    except SyntaxError:
        return []
    return [one for one in ast.walk(tree) if isinstance(one, ast.FunctionDef)]


def _is_hinted(function: ast.FunctionDef) -> bool:
    hints = [function.returns, *(one.annotation for one in function.args.args)]
    return None not in hints


@dataclass(frozen=True)
class Conventions:
    """What the project wants of a module, in the reviewer's words."""

    hints: str = "Every function of a module needs type hints."
    logging: str = "Always use logging in a module instead of print."
    tests: str = "Add a test of each new module to the folder checks."

    def broken(self, module: str) -> list[str]:
        """Return what the project's files do not keep to."""
        text = PROJECT.get(f"{module}.py", "")
        functions = _functions_in(text)
        folder = self.tests.rstrip(".").split()[-1]
        kept = {
            self.hints: bool(functions) and all(map(_is_hinted, functions)),
            self.logging: "logging" in text and "print(" not in text,
            self.tests: f"{folder}/test_{module}.py" in PROJECT,
        }
        return [words for words, is_kept in kept.items() if not is_kept]


@dataclass(frozen=True)
class Review(Evaluator):
    """Someone who knows the conventions, and reads what was written."""

    module: str
    conventions: Conventions

    async def score(self, task: str, result: str) -> Score:
        """Return the share of the conventions that are kept, and what is to be done otherwise."""
        broken = self.conventions.broken(self.module)
        return Score(1 - len(broken) / 3, " ".join(broken))


def write_module(told: str, module: str, function: str, does: str) -> dict[str, str]:
    """Return the files of a new module, as somebody writes them who was told something."""
    hinted = "type hint" in told
    logged = re.search(r"use logging\b.* instead of print", told)
    signature = f"def {function}(value: str) -> str:" if hinted else f"def {function}(value):"
    says = f'"{function} %s", value' if logged else f'"{function}", value'
    lines = [
        *(["import logging", ""] if logged else []),
        signature,
        f'    """Here is what {does}."""',
        f"    {'logging.debug' if logged else 'print'}({says})",
        "    return value",
    ]
    files = {f"{module}.py": "\n".join(lines)}
    folder = re.search(r"\btests?\b[^.]* folder (\w+)", told)
    if folder:
        files[f"{folder[1]}/test_{module}.py"] = f"from {module} import {function}"
    return files


def act(seen: Seen) -> Turn:
    """Write one file after the other."""
    [wanted] = re.findall(r"Add a module (\w+) with a function (\w+) that (.*)\.", seen.task)
    written = {result.arguments["path"] for result in seen.results}
    for path, text in write_module(seen.told, *wanted).items():
        if path not in written:
            return Calls(("write_file", {"path": path, "text": text}))
    return finish(f"{', '.join(sorted(written))} are written.")


def modules(wanted: Sequence[tuple[str, str, str]], conventions: Conventions) -> list[TaskCase]:
    """Return a task for each module that is wanted."""
    return [
        TaskCase(
            module,
            f"Add a module {module} with a function {function} that {does}.",
            Review(module, conventions),
            prepare=PROJECT.clear,
        )
        for module, function, does in wanted
    ]


async def main(conventions: Conventions = Conventions()) -> None:
    """Practise and improve three times, and undo."""
    tasks = modules(WANTED, conventions)
    practice, held_out, fresh = tasks[:3], tasks[3:5], tasks[5:]
    async with workplace(plain_model(act, knows={"write_file", "read_file"}), TOOLS) as place:
        print(f"before: {await place.trial(fresh)}")
        for _ in range(3):
            await place.practise(practice)
            await place.improve(held_out, Lessons())
        print(f"after:  {await place.trial(fresh)}")
        place.undo()
        print(f"undone: {await place.trial(fresh)}")


if __name__ == "__main__":
    run(main())
