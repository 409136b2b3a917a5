"""The wall goes by the profile that its sandbox was opened with, and never beyond what holds it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from toolguild.policies import Capability, Profile, Tier, house_profile, load_profile
from toolguild.sandbox import Outcome, Program, Sandbox, ScriptedSandbox, Status, open_sandbox
from toolguild.sandbox.wall.profile import wall_rules
from toolguild.sandbox.wall.rules import Rules

HOUSE = """
[profile]
name = "house"
[profile.modules.plistlib]
exports = ["dumps", "loads"]
from_tier = "sandbox"
[profile.modules.stringprep]
exports = ["map_table_b3"]
[profile.modules.tokenize]
exports = ["open"]
from_tier = "sandbox"
methods = { forbidden = ["line_buffering"], write = ["writelines"] }
[profile.modules.netrc]
exports = ["NetrcParseError", "netrc"]
from_tier = "sandbox"
read = ["netrc"]
[profile.without]
modules = ["random"]
names = ["builtins.hash", "builtins.open", "math.tau"]
methods.datetime = ["now"]
"""


@pytest.fixture(scope="module")
def profile(tmp_path_factory: pytest.TempPathFactory) -> Profile:
    settings = tmp_path_factory.mktemp("house") / "toolguild.toml"
    settings.write_text(HOUSE, encoding="utf-8")
    return house_profile(settings)


@pytest.fixture(scope="module")
def house(kind: str, profile: Profile) -> Iterator[Sandbox]:
    with open_sandbox("docker" if kind == "docker" else "local", profile=profile) as opened:
        yield opened


def run(
    sandbox: Sandbox, source: str, *, tier: Tier = Tier.SANDBOX, needs: tuple[str, ...] = ()
) -> Outcome:
    program = Program(source, "tool", needs=frozenset(map(Capability, needs)))
    return sandbox.run(program, {}, tier=tier)


def whole(**changes: Any) -> Profile:
    """Return a profile written out whole, which nobody has checked."""
    tables = load_profile().tables()
    for dotted, value in changes.items():
        *path, last = dotted.split("__")
        table = tables["code"]
        for key in path:
            table = table[key]
        table[last] = [*table[last], *value] if isinstance(table.get(last), list) else value
    return Profile.of_tables("whole", tables)


# --- what a house allows and takes away


def test_a_sandbox_tells_its_profile(house: Sandbox, sandbox: Sandbox, profile: Profile) -> None:
    assert house.profile.digest == profile.digest
    assert sandbox.profile == load_profile()
    assert ScriptedSandbox().profile == load_profile()
    assert open_sandbox("scripted", profile=profile).profile is profile


def test_a_module_of_the_house_shows_the_names_listed_and_no_others(
    house: Sandbox, sandbox: Sandbox
) -> None:
    source = "import plistlib\ndef tool(): return plistlib.loads(plistlib.dumps({'a': [1]}))"
    assert run(house, source).value == {"a": [1]}
    assert run(sandbox, source).status is Status.REFUSED
    other = run(house, "import plistlib\ndef tool(): return str(plistlib.PlistFormat)")
    assert other.error == "AttributeError: 'module plistlib' object has no attribute 'PlistFormat'"
    by_name = run(house, "from plistlib import PlistFormat\ndef tool(): return 1")
    assert by_name.status is Status.REFUSED
    assert "`PlistFormat` cannot be imported from `plistlib`" in by_name.error


def test_what_the_house_takes_away_is_refused(house: Sandbox, sandbox: Sandbox) -> None:
    refused = {
        "import random\ndef tool(): return random.random() < 2": "`random` cannot be imported",
        "def tool(): return hash('') == hash('')": "`hash` is not available",
        "def tool(): return callable(open)": "`open` is not available",
        "from math import tau\ndef tool(): return tau > 6": "`tau` cannot be imported",
        "import datetime\ndef tool(): return datetime.datetime.now() is not None": "out of reach",
    }
    for source, why in refused.items():
        assert run(sandbox, source).value is True, source
        outcome = run(house, source)
        assert outcome.status is Status.REFUSED, source
        assert why in outcome.error


def test_a_module_for_higher_tiers_is_not_there_behind_the_wall(house: Sandbox) -> None:
    source = "import stringprep\ndef tool(): return stringprep.map_table_b3('A')"
    outcome = run(house, source)
    assert outcome.status is Status.REFUSED
    assert "Only tools of the tier `restricted` and above have it" in outcome.error
    assert run(house, source, tier=Tier.RESTRICTED).value == "a"


def test_capabilities_hold_for_what_the_house_adds(house: Sandbox) -> None:
    source = """
import netrc
def tool():
    try:
        netrc.netrc("absent")
    except FileNotFoundError:
        return "looked"
"""
    without = run(house, source)
    assert without.status is Status.ERROR
    assert "`netrc.netrc` needs the capability `read`" in without.error
    assert without.effects == {Capability.READ}
    # `open` of the house's own is gone, not that of the library.
    assert run(house, source, needs=("read",)).value == "looked"


def test_methods_of_what_the_house_adds_are_out_of_reach(house: Sandbox) -> None:
    source = "import tokenize\ndef tool(x=1): return x.{}"
    for method, why in {
        "line_buffering": "`.line_buffering` of what `tokenize` gives is out of reach",
        "writelines": "needs the capability `write`",
    }.items():
        outcome = run(house, source.format(method))
        assert outcome.status is Status.REFUSED
        assert why in outcome.error


def test_what_gets_past_the_wall_meets_the_isolation(house: Sandbox, folder: Path) -> None:
    # The library holds the real `open` there, which no wall of ours has changed.
    secret = folder / "secret.txt"
    secret.write_text("not for programs", encoding="utf-8")
    source = f"import tokenize\ndef tool(): return tokenize.open({str(secret)!r}).read()"
    outcome = run(house, source)
    assert outcome.status is Status.ERROR
    assert "not for programs" not in f"{outcome.error}{outcome.stdout}"
    assert outcome.effects == {Capability.READ}


def test_a_module_that_is_not_installed_fails_as_ever(tmp_path: Path, kind: str) -> None:
    settings = tmp_path / "toolguild.toml"
    settings.write_text(
        "[profile.modules.nowhere_to_be_found]\nexports = ['x']\nfrom_tier = 'sandbox'\n",
        encoding="utf-8",
    )
    with open_sandbox(
        "docker" if kind == "docker" else "local", size=1, profile=house_profile(settings)
    ) as opened:
        outcome = run(opened, "import nowhere_to_be_found\ndef tool(): return 1")
    assert outcome.status is Status.ERROR
    assert outcome.error.startswith("ModuleNotFoundError")


_FIRST = """
import sys
from pathlib import Path
from toolguild.policies import Tier, house_profile
from toolguild.sandbox import Program, open_sandbox
chosen = {"profile": house_profile(Path(sys.argv[1]))} if len(sys.argv) > 1 else {}
with open_sandbox("local", size=1, **chosen) as sandbox:
    program = Program("import plistlib\\ndef tool(): return 1", "tool")
    print(sandbox.run(program, {}, tier=Tier.SANDBOX).status, "pydantic" in sys.modules)
"""


def test_the_first_worker_of_a_process_goes_by_it_and_the_default_needs_no_pydantic(
    tmp_path: Path,
) -> None:
    settings = tmp_path / "toolguild.toml"
    settings.write_text(HOUSE, encoding="utf-8")
    for arguments, said in (([str(settings)], "ok True"), ([], "refused False")):
        command = [sys.executable, "-c", _FIRST, *arguments]
        done = subprocess.run(command, capture_output=True, text=True)
        assert (done.stdout.strip(), done.stderr) == (said, "")


# --- what no profile eases


def test_a_profile_cannot_ease_what_the_guards_rely_on() -> None:
    eased = whole(
        attributes__dunder_reads=["__globals__", "__dict__"],
        attributes__private=["_module"],
        builtins__free=["eval", "__import__"],
        builtins__guarded=["exec", "vars"],
        definitions__bases=["io.FileIO"],
        definitions__metaclasses=["builtins.type"],
    )
    tables = eased.tables()
    tables["code"]["attributes"]["forbidden"] = []
    tables["code"]["attributes"]["templates"] = []
    tables["code"]["methods"]["pathlib"]["forbidden"] = []
    rules = Rules.from_plain(wall_rules(Profile.of_tables("eased", tables)))
    assert rules == Rules.from_plain(wall_rules(load_profile()))


def test_what_never_is_let_out_stays_inside_whatever_a_profile_says(kind: str) -> None:
    profile = whole(
        modules__os__exports=["environ", "system", "fork"],
        modules__subprocess={"exports": ["run"]},
        modules__ctypes={"exports": ["CDLL"]},
        modules__logging={"exports": ["os", "info", "_srcfile"]},
        modules__socket={"exports": ["create_connection"]},
        modules__encodings={"exports": ["aliases"]},
        never=[],
        network_modules=[],
    )
    refused = {
        "from os import system": "",
        "from os import environ": "",
        "from os import fork": "",
        "import subprocess": "",
        "import ctypes": "",
        "from logging import os": "",
        "from logging import _srcfile": "",
        "import socket": "needs the network",
    }
    with open_sandbox("docker" if kind == "docker" else "local", size=1, profile=profile) as opened:
        for line, why in refused.items():
            outcome = run(opened, f"{line}\ndef tool(): return 1")
            assert outcome.status is Status.REFUSED, line
            assert why in outcome.error
        assert run(opened, "import os\ndef tool(): return os.sep").value == "/"
        assert run(opened, "import logging\ndef tool(): return logging.info('x')").ok
        # A module among a module's names is no way to all that is in it.
        outcome = run(opened, "from encodings import aliases\ndef tool(): return aliases.aliases")
        assert outcome.status is Status.ERROR
        assert "RefusedError: line 2: `encodings.aliases` leads to more" in outcome.error


def test_a_profile_that_allows_os_meets_the_isolation(kind: str) -> None:
    # Without a wall at all, as every program of a higher tier runs.
    source = "import os\ndef tool(): return os.{}"
    profile = whole(modules__os__exports=["system", "fork", "open"])
    with open_sandbox("docker" if kind == "docker" else "local", size=1, profile=profile) as opened:
        for call in ("fork()", "open('/etc/shadow', 0)", "mkdir('/made')"):
            outcome = run(opened, source.format(call), tier=Tier.RESTRICTED)
            assert outcome.status is Status.ERROR, call
            assert outcome.error.startswith(("PermissionError", "FileNotFoundError", "OSError"))
