"""The shipped profile holds, and a file that is wrong says where."""

import importlib
import types
from collections.abc import Iterator
from pathlib import Path

import pytest

from toolguild.policies import Capability, PolicyFileError
from toolguild.policies.code_rules import (
    CodeProfile,
    code_profile_names,
    load_code_profile,
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


def modules_within_reach(profile: CodeProfile) -> set[str]:
    """Walk from every export along every attribute that code may name, private ones included."""
    found: set[str] = set()
    seen: set[object] = set()
    pending = [(path, value, 5) for path, value in exports(profile)]
    while pending:
        path, value, depth = pending.pop()
        if isinstance(value, types.ModuleType):
            found.add(path)
            continue
        by_identity = isinstance(value, type | types.FunctionType | dict | list)
        key: object = id(value) if by_identity else (type(value), getattr(value, "__name__", ""))
        if key in seen or depth == 0:
            continue
        seen.add(key)
        for name in dir(value):
            if nameable(name, profile):
                try:
                    pending.append((f"{path}.{name}", getattr(value, name), depth - 1))
                except Exception:  # noqa: S112 - attributes of descriptors may not be readable
                    continue
    return found


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_no_module_can_be_reached_from_an_export() -> None:
    assert modules_within_reach(PROFILE) == set()


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_the_walk_finds_modules_once_a_module_may_be_taken() -> None:
    json = PROFILE.modules["json"]
    leaky = json.model_copy(update={"exports": json.exports | {"codecs"}})
    profile = PROFILE.model_copy(update={"modules": {**PROFILE.modules, "json": leaky}})
    assert modules_within_reach(profile) == {"json.codecs"}


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


def test_shipped_profiles_load_by_name() -> None:
    assert "balanced" in code_profile_names()
    assert load_code_profile("balanced") is load_code_profile("balanced")


def test_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(PolicyFileError, match=r"lax.*balanced"):
        load_code_profile("lax")


def shipped_text() -> str:
    folder = Path(importlib.import_module("toolguild.policies").__file__ or "").parent
    return (folder / "profiles" / "balanced.toml").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("old", "new", "field"),
    [
        ("max_depth = 200", "max_depth = 0", "code.limits.max_depth"),
        ("max_depth = 200", "max_depht = 200", "code.limits.max_depht"),
        ('needs = "network"', 'needs = "internet"', "code.modules.http.client.needs"),
        ('exports = ["escape", "unescape"]', 'exports = "all"', "code.modules.html.exports"),
        ('read = ["glob", "iglob"]', 'read = ["walk"]', "code.modules.glob"),
    ],
)
def test_mistake_in_a_file_is_named_by_file_and_field(
    tmp_path: Path, old: str, new: str, field: str
) -> None:
    text = shipped_text()
    assert old in text
    path = tmp_path / "house.toml"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(PolicyFileError) as caught:
        load_code_profile(path)
    assert str(path) in str(caught.value)
    assert field in str(caught.value)


def test_missing_file_bad_toml_and_file_without_code_are_named(tmp_path: Path) -> None:
    broken, empty = tmp_path / "broken.toml", tmp_path / "empty.toml"
    broken.write_text("[code", encoding="utf-8")
    empty.write_text("", encoding="utf-8")
    with pytest.raises(PolicyFileError, match=r"absent\.toml"):
        load_code_profile(tmp_path / "absent.toml")
    with pytest.raises(PolicyFileError, match=r"broken\.toml.*TOML"):
        load_code_profile(broken)
    with pytest.raises(PolicyFileError, match=r"empty\.toml: code: Field required"):
        load_code_profile(empty)


def test_tables_of_other_readers_are_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "more.toml"
    path.write_text(shipped_text() + "\n[promotion]\nbar = 0.9\n", encoding="utf-8")
    assert load_code_profile(path).limits == PROFILE.limits
