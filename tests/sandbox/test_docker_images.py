"""Images with packages: what is baked in, how it is found again, and what programs get of it."""

from __future__ import annotations

import json
import os
import sys
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import docker
import pytest

from toolguild.cli.main import run as toolguild
from toolguild.policies import Tier, house_profile
from toolguild.sandbox import (
    Outcome,
    Program,
    Sandbox,
    SandboxUnavailableError,
    Status,
    open_sandbox,
)
from toolguild.sandbox.engine import connect
from toolguild.sandbox.images import image, packages
from toolguild.sandbox.images.image import Image, find_image
from toolguild.sandbox.images.requirements import normalise_requirements
from toolguild.sandbox.owner import LABEL, Owner

pytestmark = pytest.mark.docker

# Of a name of its own in each process: others may test on the same engine at the same time.
PAINTS = f"paints{os.getpid()}"
ABSENT = f"absent{os.getpid()}"
BAKED_ONCE = f"{PAINTS}!=0"
BASE = f"toolguild-packages-test:{os.getpid()}"

IMPORTING = "import colours\ndef tool(): return colours.mix('red', 'blue')"

COLOURS = {
    "colours/__init__.py": "from colours.mixing import mix\n",
    "colours/mixing.py": "import shades\ndef mix(*names): return shades.TONE + '+'.join(names)\n",
}
HOSTILE = {
    "shades.py": "TONE = 'dark '\n",
    # Which Python runs at the start, for folders that `site` knows.
    "shades.pth": "import sys; sys.modules['builtins'].PTH = 1\n",
    "sitecustomize.py": "import builtins; builtins.CUSTOMIZED = 1\n",
    "usercustomize.py": "import builtins; builtins.CUSTOMIZED = 1\n",
    # In front of the standard library, it would run in the worker and in each program.
    "json.py": "import builtins; builtins.SHADOWED = 1\n",
    "marshal.py": "import builtins; builtins.SHADOWED = 1\n",
    "toolguild/__init__.py": "import builtins; builtins.SHADOWED = 1\n",
    "toolguild/sandbox/__init__.py": "",
    "toolguild/sandbox/worker.py": "raise SystemExit('ours')\n",
    "RestrictedPython.py": "raise SystemExit('ours')\n",
    "broken.py": "this is no Python\n",
}


@pytest.fixture
def client(docker_engine: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[docker.APIClient]:
    """The engine, from which the images go again that are made here."""
    made = []

    def build(client: docker.APIClient, base: str, wanted: Any, name: str, say: Any) -> None:
        packages.build_packages_image(client, base, wanted, name, say)
        made.append(name)

    monkeypatch.setattr(image, "build_packages_image", build)
    with closing(connect()) as connected:
        yield connected
        own = {"label": f"{LABEL}={Owner.current()}"}
        assert all(one["State"] == "running" for one in connected.containers(all=True, filters=own))
        for name in {*made}:
            connected.remove_image(name, force=True)


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return make_shelf(tmp_path, monkeypatch)


def make_shelf(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make a folder of wheels, which pip takes everything from."""
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    put_wheel(folder, PAINTS, "1.0", COLOURS, requires="shades")
    put_wheel(folder, "shades", "1.0", HOSTILE)
    return folder


def put_wheel(
    shelf: Path, name: str, version: str, files: Mapping[str, str], requires: str = ""
) -> None:
    info = f"{name}-{version}.dist-info"
    metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
    metadata += f"Requires-Dist: {requires}\n" if requires else ""
    about = {"METADATA": metadata, "WHEEL": "Wheel-Version: 1.0\nTag: py3-none-any\n", "RECORD": ""}
    with zipfile.ZipFile(shelf / f"{name}-{version}-py3-none-any.whl", "w") as wheel:
        for path, text in files.items():
            wheel.writestr(path, text)
        for path, text in about.items():
            wheel.writestr(f"{info}/{path}", text)


def run(sandbox: Sandbox, source: str, tier: Tier = Tier.RESTRICTED) -> Outcome:
    return sandbox.run(Program(source, "tool"), {}, tier=tier)


def baked(client: docker.APIClient, *requirements: str, **options: Any) -> Image:
    return find_image(client, requirements=normalise_requirements(requirements), **options)


@pytest.fixture(scope="module")
def painting(docker_engine: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """A sandbox whose programs have packages."""
    with (
        pytest.MonkeyPatch.context() as monkeypatch,
        open_sandbox("docker", size=1, requirements=[BAKED_ONCE]) as opened,
    ):
        make_shelf(tmp_path_factory.mktemp("shelf"), monkeypatch)
        assert opened.level
        monkeypatch.undo()
        yield opened
    with closing(connect()) as connected:
        connected.remove_image(baked(connected, BAKED_ONCE).id, force=True)


class TestPrograms:
    def test_they_import_packages_and_the_level_names_their_image(self, painting, client) -> None:
        assert run(painting, IMPORTING).value == "dark red+blue"
        found = baked(client, BAKED_ONCE)
        assert painting.level.endswith(f"+seccomp@{found.id}")
        assert found.id != find_image(client).id
        assert found.packages == {PAINTS: "1.0", "shades": "1.0"}

    def test_behind_the_wall_only_modules_of_the_profile_are_there(self, painting) -> None:
        outcome = run(painting, IMPORTING, Tier.SANDBOX)
        assert outcome.status is Status.REFUSED
        assert "colours" in outcome.error

    def test_a_profile_that_lists_a_package_shows_what_it_lists_of_it(
        self, painting, tmp_path
    ) -> None:
        settings = tmp_path / "toolguild.toml"
        settings.write_text(
            "[profile.modules.colours]\nexports = ['mix', 'mixing']\nfrom_tier = 'sandbox'\n"
        )
        profile = house_profile(settings)
        with open_sandbox("docker", size=1, requirements=[BAKED_ONCE], profile=profile) as house:
            assert run(house, IMPORTING, Tier.SANDBOX).value == "dark red+blue"
            for way in ("colours.mixing.shades", "colours.shades", "__import__('shades')"):
                outcome = run(house, f"import colours\ndef tool(): return {way}", Tier.SANDBOX)
                assert not outcome.ok, way
            assert run(house, "import shades\ndef tool(): pass", Tier.SANDBOX).status == "refused"

    def test_packages_change_nothing_for_those_who_do_not_import_them(self, painting) -> None:
        source = """
import builtins, json, sys
def tool():
    traces = [name for name in ("PTH", "CUSTOMIZED", "SHADOWED") if hasattr(builtins, name)]
    ours = [name for name in sys.modules if name.split(".")[0] in ("toolguild", "colours")]
    return [traces, ours, json.dumps(1), sys.path[-1]]
"""
        nothing: list[str] = []
        assert run(painting, source).value == [nothing, nothing, "1", packages.PACKAGES_FOLDER]

    def test_they_are_compiled_and_cannot_be_changed(self, painting) -> None:
        source = """
import os, colours.mixing
def tool():
    changed = []
    for path in (colours.mixing.__file__, colours.mixing.__cached__, "/opt/toolguild"):
        try:
            os.chmod(path, 0o777)
            changed.append(path)
        except OSError: pass
    return [changed, os.path.exists(colours.mixing.__cached__), os.stat(colours.__file__).st_uid]
"""
        outcome = run(painting, source)
        assert outcome.value == [[], True, 0], outcome

    def test_what_one_changes_in_a_package_the_next_does_not_see(self, painting) -> None:
        spoil = "import shades\ndef tool():\n    shades.TONE = 'spoilt '\n    return shades.TONE"
        assert run(painting, spoil).value == "spoilt "
        assert run(painting, IMPORTING).value == "dark red+blue"


class TestFinding:
    def test_the_same_requirements_find_it_again_without_pip(
        self, client, shelf, monkeypatch
    ) -> None:
        made = baked(client, f"{PAINTS}>=1", "shades")
        monkeypatch.setattr(packages, "unpack_wheels", pytest.fail)
        assert baked(client, "Shades", f"{PAINTS.title()} >= 1") == made
        assert find_image(client, made.name) == made

    def test_others_make_another(self, client, shelf) -> None:
        assert baked(client, PAINTS).name != baked(client, f"{PAINTS}==1.0").name

    def test_rebuilding_takes_what_is_new(self, client, shelf) -> None:
        old = baked(client, PAINTS)
        put_wheel(shelf, PAINTS, "1.1", COLOURS, requires="shades")
        assert baked(client, PAINTS) == old
        new = baked(client, PAINTS, rebuild=True)
        assert (new.name, new.packages[PAINTS]) == (old.name, "1.1")
        assert new.id != old.id
        client.remove_image(old.id)

    def test_one_that_was_removed_is_made_again(self, client, shelf) -> None:
        with open_sandbox("docker", size=1, recycle_after=1, requirements=[PAINTS]) as sandbox:
            assert run(sandbox, IMPORTING).ok
            client.remove_image(baked(client, PAINTS).id, force=True)
            assert run(sandbox, IMPORTING).ok

    def test_an_image_of_ones_own_is_built_upon(self, client, shelf) -> None:
        base = find_image(client)
        other = client.create_container(base.id, ["python3"], environment={"OTHER": "1"})["Id"]
        try:
            client.commit(other, *BASE.split(":"))
            with open_sandbox("docker", size=1, image=BASE, requirements=[PAINTS]) as sandbox:
                assert run(sandbox, IMPORTING).ok
                assert sandbox.level.endswith(baked(client, PAINTS, wanted=BASE).id)
                assert baked(client, PAINTS).id not in sandbox.level
        finally:
            client.remove_container(other)
            client.remove_image(BASE, force=True)

    def test_labels_of_strangers_are_no_packages(self) -> None:
        for label in ("", "{", "[]", "1", "null"):
            assert packages.packages_in({"toolguild.sandbox.images.packages": label}) == {}


class TestFailing:
    def test_what_cannot_be_had_is_the_sandboxs_failure_and_leaves_nothing(
        self, client, shelf
    ) -> None:
        own = {"label": f"{LABEL}={Owner.current()}"}
        before = client.containers(all=True, filters=own)
        with (
            open_sandbox("docker", size=1, requirements=[ABSENT]) as sandbox,
            pytest.raises(SandboxUnavailableError, match=rf"{ABSENT}[\s\S]*PIP_FIND_LINKS"),
        ):
            run(sandbox, IMPORTING)
        assert not client.images(packages.packages_image_name(find_image(client).id, [ABSENT]))
        assert len(client.containers(all=True, filters=own)) == len(before)

    def test_an_image_without_a_python_is_named(self, client, shelf, monkeypatch) -> None:
        monkeypatch.setattr(packages, "_LOOK", "raise SystemExit('no Python at all')")
        with pytest.raises(SandboxUnavailableError, match=r"run python3 in .*no Python at all"):
            baked(client, f"{PAINTS}==1")
        monkeypatch.setattr(packages, "_LOOK", "print('hello')")
        with pytest.raises(SandboxUnavailableError, match=r"no python3 that works: hello"):
            baked(client, f"{PAINTS}==1")

    def test_a_pull_that_fails_says_why(self, client) -> None:
        with pytest.raises(
            SandboxUnavailableError, match=r"cannot pull localhost:1/x:1: .*refused"
        ):
            find_image(client, "localhost:1/x:1", pull=True)

    def test_nothing_is_pulled_unasked(self, client, monkeypatch) -> None:
        monkeypatch.setattr(image, "_pull", pytest.fail)
        with pytest.raises(SandboxUnavailableError, match="no image localhost:1/x:1"):
            find_image(client, "localhost:1/x:1")


class TestCommand:
    @pytest.fixture(autouse=True)
    def elsewhere(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(tmp_path)

    def test_it_makes_the_image_and_prints_what_is_in_it(
        self, client, shelf, tmp_path, capsys
    ) -> None:
        listed = tmp_path / "requirements.txt"
        listed.write_text(f"{PAINTS} >= 1  # for painting\n")
        assert toolguild(["image", "-r", str(listed), "--json"]) == 0
        said = capsys.readouterr()
        found = baked(client, f"{PAINTS}>=1")
        assert json.loads(said.out) == {
            "name": found.name,
            "id": found.id,
            "python": sys.version.split()[0],
            "size_bytes": found.size_bytes,
            "packages": {PAINTS: "1.0", "shades": "1.0"},
        }
        assert f"Fetching wheels of {PAINTS}>=1" in said.err
        assert toolguild(["image", "-r", str(listed)]) == 0
        said = capsys.readouterr()
        assert f"{PAINTS} 1.0, shades 1.0" in said.out
        assert said.err == ""

    def test_without_requirements_it_names_the_image_that_is_used(self, client, capsys) -> None:
        assert toolguild(["image", "--json"]) == 0
        said = json.loads(capsys.readouterr().out)
        assert (said["id"], said["packages"]) == (find_image(client).id, {})

    def test_a_wrong_file_is_a_usage_error_and_a_missing_package_none(
        self, client, shelf, tmp_path, capsys
    ) -> None:
        listed = tmp_path / "requirements.txt"
        listed.write_text("colours\n-e .\n")
        assert toolguild(["image", "-r", str(listed)]) == 2
        assert f"{listed}:2: '-e .'" in capsys.readouterr().err
        listed.write_text(f"{ABSENT}\n")
        assert toolguild(["image", "-r", str(listed)]) == 3
        assert f"No matching distribution found for {ABSENT}" in capsys.readouterr().err


def test_real_packages_with_extension_modules_work(client) -> None:
    """From the index that pip is set up for: the rest here makes its wheels itself."""
    source = """
import numpy
from dateutil import parser
def tool():
    square = numpy.arange(9.0).reshape(3, 3)
    return [float(numpy.linalg.det(square + numpy.eye(3))), parser.parse("3 May 2024").isoformat()]
"""
    with open_sandbox(
        "docker", size=1, requirements=[f"numpy>=2,!=0.{os.getpid()}", "python-dateutil>=2.8"]
    ) as sandbox:
        outcome = run(sandbox, source)
    determinant, day = outcome.value or (0, "")
    assert determinant == pytest.approx(-5.0), outcome
    assert day == "2024-05-03T00:00:00"
