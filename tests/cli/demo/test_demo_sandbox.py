"""What the demo runs in: the local sandbox, less of it by its own choice, or off Linux Docker's."""

from __future__ import annotations

import importlib
import sys

import pytest

from toolguild.cli.main import run
from toolguild.sandbox import diagnosis, local
from toolguild.sandbox.local import Isolation

NOTHING = Isolation((), {"landlock": "the kernel has none"})


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def on_a_mac(monkeypatch) -> None:
    # Before the platform changes: the standard library has modules of its own for each.
    importlib.import_module("docker")
    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setattr(diagnosis, "available_isolation", lambda: Isolation(()))
    monkeypatch.setenv("DOCKER_HOST", "unix:///no/such/socket")


def test_without_isolation_it_says_so_and_goes_on_as_the_code_is_its_own(
    monkeypatch, capsys
) -> None:
    monkeypatch.setattr(local, "_known", [NOTHING])
    assert run(["demo"]) == 0
    said = capsys.readouterr().err
    assert "landlock: the kernel has none" in said
    assert "goes on at the level process-only" in said
    assert "in sandbox process-only" in said


@pytest.mark.usefixtures("on_a_mac")
def test_off_linux_it_shows_the_way_to_docker_and_does_not_go_on(capsys) -> None:
    assert run(["demo"]) == 3
    said = capsys.readouterr().err
    assert "Docker Desktop" in said
    assert "DOCKER_HOST" in said
    assert "goes on" not in said


@pytest.mark.usefixtures("on_a_mac")
def test_off_linux_the_doctor_names_what_is_missing(capsys) -> None:
    assert run(["doctor"]) == 3
    said = capsys.readouterr().out
    assert "this is darwin" in said
    assert "Docker Desktop" in said
    assert "Sandbox in use: none" in said
