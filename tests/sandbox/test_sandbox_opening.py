"""Opening by kind, the scripted sandbox, and what the doctor sees."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import closing

import pytest

from toolguild.policies import Tier
from toolguild.sandbox import (
    Check,
    Limits,
    Outcome,
    Program,
    RequirementsError,
    Sandbox,
    SandboxUnavailableError,
    ScriptedSandbox,
    Status,
    choose,
    diagnose,
    diagnosis,
    open_sandbox,
)
from toolguild.sandbox.engine import connect
from toolguild.sandbox.images import image
from toolguild.sandbox.images.image import find_image
from toolguild.sandbox.local import Isolation

PROGRAM = Program("def f(x): return x", "f")


class TestOpenSandbox:
    @pytest.mark.parametrize("kind", ["local", "scripted", "docker"])
    def test_it_opens_what_was_asked_for(self, kind) -> None:
        with open_sandbox(kind) as sandbox:
            assert isinstance(sandbox, Sandbox)
            assert sandbox.name == kind

    def test_an_unknown_kind_is_an_error_that_names_the_others(self) -> None:
        with pytest.raises(ValueError, match="no sandbox of kind 'vm', only docker, local"):
            open_sandbox("vm")  # type: ignore[arg-type]

    @pytest.mark.parametrize(
        ("kind", "options"),
        [
            ("local", {"image": "x"}),
            ("docker", {"weakest": True}),
            ("scripted", {"size": 1}),
            ("auto", {"answers": {}}),
            ("scripted", {"requirements": ["numpy"]}),
            ("local", {"sizes": 1}),
        ],
    )
    def test_an_option_of_another_kind_is_an_error(self, kind, options) -> None:
        with pytest.raises(TypeError, match=f"a sandbox of kind {kind} takes no "):
            open_sandbox(kind, **options)

    def test_packages_are_dockers_alone_which_the_message_says(self, monkeypatch) -> None:
        with pytest.raises(TypeError, match="into an image, which only the kind docker has"):
            open_sandbox("local", requirements=["numpy"])
        # Nor does `auto` go on without them.
        monkeypatch.setenv("DOCKER_HOST", "unix:///no/such/socket")
        with open_sandbox("auto", requirements=["numpy"]) as sandbox:
            assert sandbox.name == "docker"
            with pytest.raises(SandboxUnavailableError, match="cannot reach the Docker engine"):
                sandbox.run(PROGRAM, {"x": 1}, tier=Tier.SANDBOX)

    def test_a_requirement_that_is_none_is_an_error_at_once(self) -> None:
        with pytest.raises(RequirementsError, match=r"'\./evil' is no requirement"):
            open_sandbox("docker", requirements=["./evil"])

    @pytest.mark.docker
    def test_auto_takes_docker_where_an_engine_answers(self, docker_engine) -> None:
        assert choose().kind == "docker"
        with open_sandbox("auto", size=1, weakest=True) as sandbox:
            assert sandbox.name == "docker"

    def test_auto_takes_local_where_none_does(self, monkeypatch) -> None:
        monkeypatch.setenv("DOCKER_HOST", "unix:///no/such/socket")
        choice = choose()
        assert choice.kind == "local"
        assert "cannot reach the Docker engine" in choice.why
        with open_sandbox("auto", size=1, image="x") as sandbox:
            assert sandbox.run(PROGRAM, {"x": 1}, tier=Tier.SANDBOX).value == 1

    def test_auto_says_why_where_nothing_works(self, monkeypatch) -> None:
        monkeypatch.setenv("DOCKER_HOST", "unix:///no/such/socket")
        monkeypatch.setattr(
            diagnosis, "available_isolation", lambda: Isolation((), {"landlock": "too old"})
        )
        with pytest.raises(SandboxUnavailableError, match=r"Docker engine.*landlock: too old"):
            open_sandbox("auto")

    def test_importing_the_package_needs_nothing_but_the_standard_library(self) -> None:
        script = (
            "import sys, toolguild.sandbox\n"
            "print([n for n in ('docker', 'requests', 'pydantic') if n in sys.modules])"
        )
        done = subprocess.run(
            [sys.executable, "-c", script], capture_output=True, text=True, check=True
        )
        assert done.stdout == "[]\n"


# What is imported before the platform changes belongs to others, and may look at it.
ELSEWHERE = """
import os, sys, select, socket, subprocess, docker, docker.context, requests
platform, todo = sys.argv[1:]
sys.platform = platform
if platform == "win32":
    for name in ("fcntl", "grp", "pwd", "resource", "termios"):
        sys.modules[name] = None
    for name in ("fork", "geteuid", "getuid", "register_at_fork"):
        delattr(os, name)
from toolguild.policies import Tier
from toolguild.sandbox import *
if todo == "run":
    with open_sandbox("auto", image=os.environ["IMAGE"], size=1) as sandbox:
        program = Program("def f(x): return x + 1", "f")
        print(sandbox.name, sandbox.run(program, {"x": 1}, tier=Tier.SANDBOX).value)
for kind, options in (("local", {}), ("local", {"weakest": True}), ("auto", {})):
    try:
        open_sandbox(kind, **options)
    except SandboxUnavailableError as error:
        print(kind, error)
print(*((check.name, check.ok) for check in diagnose()))
"""


class TestOtherSystems:
    """Their interpreters cannot be had here: what they would find missing is taken away."""

    @staticmethod
    def ask(platform: str, todo: str = "open", **environment: str) -> str:
        done = subprocess.run(
            [sys.executable, "-c", ELSEWHERE, platform, todo],
            env={**os.environ, **environment},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    @pytest.mark.parametrize(
        ("platform", "way"), [("darwin", "Docker Desktop, Colima"), ("win32", "WSL 2")]
    )
    def test_everything_imports_and_the_way_to_docker_is_shown(self, platform, way) -> None:
        said = self.ask(platform, DOCKER_HOST="unix:///no/such/socket").splitlines()
        assert [line.split()[0] for line in said[:3]] == ["local", "local", "auto"]
        assert all(way in line for line in said[:3])
        assert f"this is {platform} and not Linux" in said[0]
        assert said[3] == "('Docker engine', False) ('Local sandbox', False)"

    @pytest.mark.docker
    def test_macos_uses_an_engine_that_answers(self, docker_engine) -> None:
        with closing(connect()) as client:
            found = find_image(client).id
        assert self.ask("darwin", "run", IMAGE=found).startswith("docker 2\n")

    @pytest.mark.docker
    def test_without_an_image_the_command_for_one_is_shown(
        self, docker_engine, monkeypatch
    ) -> None:
        monkeypatch.setattr(sys, "platform", "darwin")  # where none can be made of the interpreter
        monkeypatch.setattr(diagnosis, "available_isolation", lambda: Isolation(()))
        monkeypatch.setattr(image, "DEFAULT_IMAGE", "no.such.registry/python:1")
        with pytest.raises(SandboxUnavailableError, match="`toolguild image --pull`"):
            open_sandbox("auto")
        with open_sandbox("auto", image="another") as sandbox:
            assert sandbox.name == "docker"


class TestDiagnosis:
    def test_what_there_is_is_found(self) -> None:
        checks = {check.name: check for check in diagnose()}
        assert {"User namespaces", "Landlock", "seccomp filters", "Docker engine"} <= checks.keys()
        assert checks["Landlock"].detail.startswith("ABI ")
        assert all(check.remedy == "" for check in checks.values() if check.ok)

    @pytest.mark.docker
    def test_the_engine_and_its_runtimes_are_described(self, docker_engine) -> None:
        checks = {check.name: check for check in diagnose()}
        assert checks["Docker engine"].ok
        assert checks["Docker image"].ok
        assert "runc" in checks["gVisor runtime"].detail

    def test_what_is_missing_comes_with_a_remedy(self, monkeypatch) -> None:
        monkeypatch.setenv("DOCKER_HOST", "unix:///no/such/socket")
        monkeypatch.setattr(
            diagnosis,
            "available_isolation",
            lambda: Isolation(("seccomp",), {"landlock": "too old", "userns": "forbidden"}),
        )
        checks = diagnose()
        assert [(c.name, c.ok) for c in checks] == [
            ("Docker engine", False),
            ("User namespaces", False),
            ("Landlock", False),
            ("seccomp filters", True),
        ]
        assert all(check.remedy and check.detail for check in checks if not check.ok)

    def test_an_isolation_that_cannot_be_tried_is_missing(self, monkeypatch) -> None:
        def fail() -> Isolation:
            raise SandboxUnavailableError("no interpreter")

        monkeypatch.setattr(diagnosis, "available_isolation", fail)
        landlock = next(check for check in diagnose() if check.name == "Landlock")
        assert landlock == Check("Landlock", False, "no interpreter", landlock.remedy)


class TestScripted:
    def test_answers_come_by_entry_and_runs_are_recorded(self) -> None:
        answer = Outcome(Status.OK, 7)
        with ScriptedSandbox({"f": answer}) as sandbox:
            for _ in range(2):
                assert sandbox.run(PROGRAM, {"x": 1}, tier=Tier.FULL) == answer
            assert sandbox.level == "scripted"
        first, second = sandbox.runs
        assert (first.program, first.arguments, first.tier) == (PROGRAM, {"x": 1}, Tier.FULL)
        assert second.limits == Limits()

    def test_a_list_of_answers_is_used_up_and_then_refused(self) -> None:
        answers = [Outcome(Status.OK, 1), SandboxUnavailableError("down"), Outcome(Status.ERROR)]
        sandbox = open_sandbox("scripted", answers={"f": answers})
        assert sandbox.run(PROGRAM, {}, tier=Tier.SANDBOX).value == 1
        with pytest.raises(SandboxUnavailableError, match="down"):
            sandbox.run(PROGRAM, {}, tier=Tier.SANDBOX)
        assert sandbox.run(PROGRAM, {}, tier=Tier.SANDBOX).status is Status.ERROR
        assert sandbox.run(PROGRAM, {}, tier=Tier.SANDBOX).status is Status.REFUSED

    def test_a_function_sees_the_whole_run_and_may_call_tools(self) -> None:
        def answer(run):
            return Outcome(Status.OK, run.tools("double", dict(run.arguments)))

        sandbox = ScriptedSandbox(answer)
        outcome = sandbox.run(
            PROGRAM, {"x": 4}, tier=Tier.SANDBOX, tools=lambda name, a: [name, a["x"] * 2]
        )
        assert outcome.value == ["double", 8]

    def test_without_a_script_everything_is_refused(self) -> None:
        assert ScriptedSandbox().run(PROGRAM, {}, tier=Tier.FULL).status is Status.REFUSED

    def test_closed_it_is_unavailable(self) -> None:
        sandbox = ScriptedSandbox()
        sandbox.close()
        sandbox.close()
        with pytest.raises(SandboxUnavailableError, match="closed"):
            sandbox.run(PROGRAM, {}, tier=Tier.FULL)
