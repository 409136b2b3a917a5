"""Frames, and the streams that carry them, against whatever may be at the other end."""

from __future__ import annotations

import contextlib
import os
import threading
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from toolguild.policies import Tier
from toolguild.sandbox import Limits, Program, Status, connection
from toolguild.sandbox.channel import ChannelClosedError, PipeChannel
from toolguild.sandbox.connection import Worker, WorkerLostError
from toolguild.sandbox.frames import FrameBuffer, FrameError, encode_frame

_HEADERS = st.dictionaries(st.text(max_size=5), st.integers() | st.text(max_size=5), max_size=3)


@settings(deadline=None)
@given(
    frames=st.lists(st.tuples(_HEADERS, st.binary(max_size=50)), max_size=5),
    cuts=st.lists(st.integers(1, 20), min_size=1, max_size=20),
)
def test_frames_survive_any_cutting_of_the_stream(frames, cuts) -> None:
    stream = b"".join(encode_frame(*frame) for frame in frames)
    buffer, found, position, turn = FrameBuffer(), [], 0, 0
    while position < len(stream):
        step = cuts[turn % len(cuts)]
        buffer.feed(stream[position : position + step])
        position, turn = position + step, turn + 1
        while frame := buffer.pop(max_body=50):
            found.append(tuple(frame))
    assert found == frames


@settings(deadline=None)
@given(junk=st.binary(max_size=60))
def test_junk_is_incomplete_or_an_error_and_nothing_else(junk) -> None:
    buffer = FrameBuffer()
    buffer.feed(junk)
    try:
        frame = buffer.pop(max_body=100)
    except FrameError:
        return
    assert frame is None or isinstance(frame.header, dict)


def test_a_body_beyond_what_is_expected_is_not_even_read() -> None:
    buffer = FrameBuffer()
    buffer.feed(encode_frame({}, b"12345")[:12])
    with pytest.raises(FrameError):
        buffer.pop(max_body=4)


@pytest.fixture
def ends():
    """A channel, and the descriptors of its other end: to read, and to write."""
    their_read, our_write = os.pipe()
    our_read, their_write = os.pipe()
    channel = PipeChannel(os.fdopen(our_read, "rb", 0), os.fdopen(our_write, "wb", 0))
    yield channel, their_read, their_write
    channel.close()
    channel.close()
    for descriptor in (their_read, their_write):
        with contextlib.suppress(OSError):
            os.close(descriptor)


def soon() -> float:
    return time.monotonic() + 0.2


def test_waiting_to_read_ends_at_the_deadline(ends) -> None:
    channel, _, _ = ends
    with pytest.raises(TimeoutError):
        channel.receive(10, soon())


def test_waiting_to_write_ends_at_the_deadline(ends) -> None:
    channel, _, _ = ends
    with pytest.raises(TimeoutError):
        channel.send(bytes(1 << 20), soon())


def test_an_end_of_the_other_side_is_an_error_in_both_directions(ends) -> None:
    channel, their_read, their_write = ends
    os.close(their_write)
    with pytest.raises(ChannelClosedError):
        channel.receive(10, soon())
    os.close(their_read)
    with pytest.raises(ChannelClosedError):
        channel.send(b"x", soon())


@pytest.fixture(autouse=True)
def known_token(monkeypatch) -> None:
    monkeypatch.setattr(connection.secrets, "token_hex", lambda size: "t")


def worker_on(channel) -> Worker:
    return Worker(channel, lambda: None, fits=lambda limits, setting: True)


END = {"kind": "end", "status": "ok", "error": "", "payload_bytes": 2, "clean": True}
RUN = (Program("def tool(): return 1", "tool"), {}, Tier.SANDBOX, Limits(wall_s=0.1), None)


@pytest.mark.parametrize(
    ("said", "started"),
    [
        (b"", False),
        (encode_frame({"kind": "started", "token": "t"}), True),
        (encode_frame({"kind": "started", "token": "t"}) + b"\xff" * 20, True),
        (encode_frame({"kind": "unheard of", "token": "t"}), False),
        (encode_frame({"kind": "started", "token": "of another run"}), False),
        (encode_frame({**END, "token": "of another run"}, b"42"), False),
        (encode_frame(END, b"42"), False),
        (b"junk that is no frame", False),
    ],
)
def test_a_worker_that_goes_or_talks_nonsense_is_lost(ends, said, started) -> None:
    channel, _, their_write = ends
    os.write(their_write, said)
    os.close(their_write)
    worker = worker_on(channel)
    with pytest.raises(WorkerLostError) as lost:
        worker.run(*RUN)
    assert lost.value.started is started
    assert not worker.reusable


def test_a_worker_that_says_nothing_is_a_timeout_and_not_used_again(ends) -> None:
    channel, _, _ = ends
    worker = worker_on(channel)
    assert worker.run(*RUN).status is Status.TIMEOUT
    assert not worker.reusable


def test_a_worker_that_could_not_clean_up_is_not_used_again(ends) -> None:
    channel, _, their_write = ends
    end = {**END, "token": "t", "clean": False, "effects": []}
    os.write(their_write, encode_frame(end, b"42printed"))
    worker = worker_on(channel)
    outcome = worker.run(*RUN)
    assert (outcome.value, outcome.stdout) == (42, "printed")
    assert not worker.reusable


def test_a_worker_is_ended_once_even_from_many_threads() -> None:
    ended = []
    read, write = os.pipe()
    worker = Worker(
        PipeChannel(os.fdopen(read, "rb", 0), os.fdopen(write, "wb", 0)),
        lambda: ended.append(1),
        fits=lambda limits, setting: True,
    )
    threads = [threading.Thread(target=worker.end) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    worker.close()
    assert ended == [1]
