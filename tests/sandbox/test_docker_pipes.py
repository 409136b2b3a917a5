"""The way to a container past the engine, and what happens where there is none."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest

from toolguild.policies import Tier
from toolguild.sandbox import Program
from toolguild.sandbox.attached import AttachedChannel
from toolguild.sandbox.channel import ChannelClosedError
from toolguild.sandbox.docker import DockerSandbox
from toolguild.sandbox.frames import Frame
from toolguild.sandbox.inside.inner_pipes import FOLDER, TO_HOST
from toolguild.sandbox.pipes import DirectChannel, Pipes

pytestmark = pytest.mark.docker

IDENTITY = Program("def tool(x): return x", "tool")
LOOKING = Program(
    f"""
import os
def tool(x):
    return os.path.isdir({FOLDER!r}), os.path.exists({f"{FOLDER}/{TO_HOST}"!r})
""",
    "tool",
    walled=False,
)


def channels(sandbox: DockerSandbox) -> set[type]:
    return {type(worker._channel) for worker in sandbox._places.idle}


def test_frames_go_past_the_engine_and_the_pipes_have_no_names(own_tempdir) -> None:
    with DockerSandbox(size=1) as sandbox:
        assert sandbox.run(LOOKING, {"x": 1}, tier=Tier.FULL).value == [True, False]
        assert channels(sandbox) == {DirectChannel}
        assert not list(own_tempdir.iterdir())


def test_a_lot_goes_through_them_both_ways() -> None:
    much = "x" * 3_000_000
    with DockerSandbox(size=1) as sandbox:
        outcome = sandbox.run(IDENTITY, {"x": much}, tier=Tier.SANDBOX)
        assert outcome.status == "output_limit"
        assert (
            sandbox.run(IDENTITY, {"x": much[:900_000]}, tier=Tier.SANDBOX).value == much[:900_000]
        )


def test_an_engine_that_cannot_show_them_is_spoken_to_as_before(monkeypatch, own_tempdir) -> None:
    class Elsewhere(Pipes):
        def __init__(self) -> None:
            super().__init__()
            self.directory = Path("/no/such/directory/of/the/engine")

    made = []
    monkeypatch.setattr(
        "toolguild.sandbox.docker.Pipes", lambda: made.append(Elsewhere()) or made[-1]
    )
    with DockerSandbox(size=1, recycle_after=1) as sandbox:
        assert sandbox.run(IDENTITY, {"x": 1}, tier=Tier.SANDBOX).value == 1
        assert sandbox.run(IDENTITY, {"x": 2}, tier=Tier.SANDBOX).value == 2
    assert len(made) == 1, "it is not tried again"
    assert not list(own_tempdir.iterdir())


def test_pipes_that_lead_nowhere_are_not_used(monkeypatch) -> None:
    class Unread(Pipes):
        """As on an engine in a machine of its own, which shares the files."""

        def __init__(self) -> None:
            super().__init__()
            self._read.close()

    monkeypatch.setattr("toolguild.sandbox.docker.Pipes", Unread)
    with DockerSandbox(size=1) as sandbox:
        assert sandbox.run(IDENTITY, {"x": 1}, tier=Tier.SANDBOX).value == 1
        assert channels(sandbox) == {AttachedChannel}


def test_without_room_for_them_it_works_too(monkeypatch, tmp_path) -> None:
    with DockerSandbox(size=1) as sandbox:
        sandbox.level  # noqa: B018 - asks the engine, which needs no directory
        monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "missing"))
        assert sandbox.run(IDENTITY, {"x": 1}, tier=Tier.SANDBOX).value == 1
        assert channels(sandbox) == {AttachedChannel}


def test_a_start_that_fails_behind_the_pipes_leaves_none_of_them_open(
    monkeypatch, own_tempdir
) -> None:
    def fail(channel: DirectChannel, max_body: int, deadline: float) -> Frame:
        msg = "the container ended"
        raise ChannelClosedError(msg)

    connected = []
    connect = Pipes.connect
    monkeypatch.setattr(
        Pipes, "connect", lambda *given: connected.append(connect(*given)) or connected[-1]
    )
    with DockerSandbox(size=1) as sandbox:
        with monkeypatch.context() as patch:
            patch.setattr(DirectChannel, "receive", fail)
            assert sandbox.run(IDENTITY, {"x": 1}, tier=Tier.SANDBOX).value == 1
        (channel,) = connected
        assert channel._read.closed
        assert channel._write.closed
        assert channels(sandbox) == {AttachedChannel}
    assert not list(own_tempdir.iterdir())
