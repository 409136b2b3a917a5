"""The shape of the house: which package may import which, and what the wheel holds."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FLOORS = ("policies", "sandbox", "registry", "synth", "agent", "cli")
WITHIN_SYNTH = ("traces", "mining", "drafting", "validation")


def imports_of(path: Path) -> set[str]:
    """Return the toolguild modules that a file imports, anywhere in it."""
    tree = ast.parse(path.read_text("utf-8"))
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            assert node.level == 0, f"{path}: relative import"
            names |= {node.module}
    return {name.removeprefix("toolguild.") for name in names if name.startswith("toolguild")}


def sources(folder: str) -> list[Path]:
    return sorted((ROOT / folder).rglob("*.py"))


@pytest.mark.parametrize("floor", FLOORS)
def test_a_package_imports_only_the_floors_below_it(floor: str) -> None:
    allowed = {*FLOORS[: FLOORS.index(floor) + 1], "version"}
    assert sources(floor)
    for path in sources(floor):
        for name in imports_of(path):
            assert name.split(".")[0] in allowed, f"{path.relative_to(ROOT)} imports {name}"


@pytest.mark.parametrize("stage", WITHIN_SYNTH)
def test_within_synth_data_flows_one_way(stage: str) -> None:
    later = WITHIN_SYNTH[WITHIN_SYNTH.index(stage) + 1 :]
    for path in sources(f"synth/{stage}"):
        for name in imports_of(path):
            assert not name.startswith(tuple(f"synth.{one}" for one in later)), f"{path}: {name}"


def test_syntax_trees_are_built_in_one_place() -> None:
    """Two threads that build some at once may both fail: `policies.parsing` says why."""
    # Inside a sandbox there is one thread, and nothing of `policies`.
    allowed = {"policies/parsing.py", "sandbox/wall/policy.py"}
    builds = re.compile(r"\bast\.parse\(|PyCF_ONLY_AST|ast\.literal_eval\((?!node\))")
    for path in (path for floor in FLOORS for path in sources(floor)):
        name = path.relative_to(ROOT).as_posix()
        assert name in allowed or not builds.search(path.read_text("utf-8")), name


def declared_packages() -> set[str]:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    return set(settings["tool"]["setuptools"]["packages"])


def test_every_folder_of_code_is_a_declared_package() -> None:
    folders = {
        ".".join(("toolguild", *path.parent.relative_to(ROOT).parts))
        for floor in FLOORS
        for path in sources(floor)
    }
    assert folders | {"toolguild"} == declared_packages()


def test_the_wheel_holds_every_module_and_all_data(tmp_path: Path) -> None:
    # Built from a copy: what an earlier build left behind must not get in.
    copy = tmp_path / "toolguild"
    left_out = shutil.ignore_patterns(".*", "build", "*.egg-info", "__pycache__")
    shutil.copytree(ROOT, copy, ignore=left_out)
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", copy]
    subprocess.run(command, check=True, capture_output=True)
    [wheel] = copy.glob("dist/*.whl")
    held = set(zipfile.ZipFile(wheel).namelist())
    data = [
        ROOT / "py.typed",
        *ROOT.glob("policies/**/*.toml"),
        *ROOT.glob("sandbox/*.json"),
        *ROOT.glob("agent/**/*.md"),
        *ROOT.glob("synth/**/*.md"),
    ]
    modules = [path for floor in FLOORS for path in sources(floor)]
    for path in [*modules, *data]:
        assert f"toolguild/{path.relative_to(ROOT)}" in held
    assert not {name for name in held if name.startswith(("toolguild/tests", "toolguild/bench"))}
