"""What a worker says of its program's files is checked, as if it were the program that said it."""

from __future__ import annotations

import json
import os
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from toolguild.policies import Capability, Tier
from toolguild.sandbox import FileChange, Limits, Program, connection
from toolguild.sandbox.channel import PipeChannel
from toolguild.sandbox.connection import Worker, WorkerLostError
from toolguild.sandbox.files.bundle import INDEX_LENGTH, encode_index
from toolguild.sandbox.files.changes import Parcel, UnsoundChangesError
from toolguild.sandbox.frames import encode_frame

PARCEL = Parcel.of(["d"], {"a": b"1", "d/b": b"2"}, 100)


def bundle(files=(), removed=(), left_out=(), contents=b"") -> bytes:
    index = {"files": list(files), "removed": list(removed), "left_out": list(left_out)}
    return encode_index(index) + contents


def test_nothing_said_is_nothing_changed() -> None:
    assert PARCEL.read_changes(b"") == ((), ())
    assert PARCEL.read_changes(bundle()) == ((), ())


def test_changes_come_sorted() -> None:
    said = bundle([("c", 2), ("d/b", 1)], ["a"], ["x: a hard link"], b"ccb")
    assert PARCEL.read_changes(said) == (
        (FileChange("a", None), FileChange("c", b"cc"), FileChange("d/b", b"b")),
        ("x: a hard link",),
    )


UNSOUND = {
    "no index": b"\0\0",
    "a cut-off index": bundle()[:-1],
    "an index that is no JSON": INDEX_LENGTH.pack(3) + b"{x}",
    "an index that is no object": INDEX_LENGTH.pack(2) + b"[]",
    "a lacking part": encode_index({"files": [], "removed": []}),
    "a part of another kind": encode_index({"files": {}, "removed": [], "left_out": []}),
    "an absolute path": bundle([("/etc/passwd", 0)]),
    "a path upwards": bundle([("../a", 0)]),
    "a path upwards within": bundle([("d/../../a", 0)]),
    "a path with a NUL": bundle([("a\0b", 0)]),
    "a path with a newline": bundle([("a\nb", 0)]),
    "an empty path": bundle([("", 0)]),
    "half a character": encode_index({"files": [], "removed": [], "left_out": []}).replace(
        b"[]", b'["\\ud800"]', 1
    ),
    "an endless name": bundle([("x" * 256, 0)]),
    "a path that is a number": bundle([(1, 0)]),
    "a negative size": bundle([("c", -1)]),
    "a size that is no number": bundle([("c", "1")]),
    "a fraction": bundle([("c", 0.5)]),
    "a missing size": bundle([("c",)]),
    "less content than there should be": bundle([("c", 2)], contents=b"1"),
    "more content than there should be": bundle([("c", 1)], contents=b"12"),
    "content of nothing": bundle(contents=b"1"),
    "more than there is room for": bundle([("c", 101)], contents=bytes(101)),
    "disorder": bundle([("e", 0), ("c", 0)]),
    "a path twice": bundle([("c", 0), ("c", 0)]),
    "a path removed twice": bundle(removed=["a", "a"]),
    "removals in disorder": bundle(removed=["d/b", "a"]),
    "a removal of what was not there": bundle(removed=["c"]),
    "a removal of a folder": bundle(removed=["d"]),
    "a removal with a path upwards": bundle(removed=["../a"]),
    "both removed and there": bundle([("a", 0)], ["a"]),
    "a file that is a folder, too": bundle([("c", 0), ("c/e", 0)]),
    "a folder that was a file and still is": bundle([("a/e", 0)]),
    "a file that was a folder and still is": bundle([("d", 0)]),
    "a line that is none": bundle(left_out=[1]),
    "two lines in one": bundle(left_out=["a\nb"]),
    "a line for a terminal": bundle(left_out=["\x1b[2J"]),
    "an endless line": bundle(left_out=["x" * 1001]),
    "endless lines": bundle(left_out=["x"] * 102),
}


@pytest.mark.parametrize("said", UNSOUND.values(), ids=UNSOUND.keys())
def test_what_cannot_be_is_not_believed(said) -> None:
    with pytest.raises(UnsoundChangesError):
        PARCEL.read_changes(said)


@settings(deadline=None)
@given(said=st.binary(max_size=80))
def test_junk_is_never_anything_else_than_unsound(said) -> None:
    try:
        PARCEL.read_changes(said)
    except UnsoundChangesError:
        return
    assert not said


@settings(deadline=None, max_examples=200)
@given(
    files=st.lists(st.tuples(st.sampled_from(["a", "a/x", "d", "d/b", "e"]), st.integers(0, 2))),
    removed=st.lists(st.sampled_from(["a", "d", "d/b", "e"]), unique=True),
)
def test_what_is_believed_is_a_tree_that_the_workspace_could_become(files, removed) -> None:
    said = bundle(sorted(files), sorted(removed), contents=bytes(sum(size for _, size in files)))
    try:
        changes, _ = PARCEL.read_changes(said)
    except UnsoundChangesError:
        return
    after = PARCEL.paths - {change.path for change in changes if change.content is None}
    after |= {change.path for change in changes if change.content is not None}
    assert not [path for path in after if any(f"{path}/" in f"{other}" for other in after)]


@pytest.fixture
def ends(monkeypatch):
    monkeypatch.setattr(connection.secrets, "token_hex", lambda size: "t")
    our_read, their_write = os.pipe()
    their_read, our_write = os.pipe()
    channel = PipeChannel(os.fdopen(our_read, "rb", 0), os.fdopen(our_write, "wb", 0))
    yield channel, their_write
    channel.close()
    os.close(their_read)
    os.close(their_write)


END = {
    "kind": "end",
    "token": "t",
    "status": "ok",
    "error": "",
    "payload_bytes": 2,
    "effects": ["read"],
    "clean": True,
}
RUN = (Program("def tool(): return 1", "tool"), {}, Tier.SANDBOX, Limits(), None)


def answered(ends, body: bytes, parcel: Parcel | None, **header: object):
    channel, their_write = ends
    os.write(their_write, encode_frame({"kind": "started", "token": "t"}))
    os.write(their_write, encode_frame({**END, **header}, body))
    return Worker(channel, lambda: None, fits=lambda *_: True).run(*RUN, parcel)


def test_files_come_behind_value_and_stdout(ends) -> None:
    files = bundle([("c", 3)], contents=b"ccc")
    outcome = answered(ends, b"42printed" + files, PARCEL, files_bytes=len(files))
    assert (outcome.value, outcome.stdout) == (42, "printed")
    assert outcome.changes == (FileChange("c", b"ccc"),)
    assert outcome.effects == {Capability.READ, Capability.WRITE}


@pytest.mark.parametrize("said", UNSOUND.values(), ids=UNSOUND.keys())
def test_a_worker_that_says_what_cannot_be_is_lost(ends, said) -> None:
    with pytest.raises(WorkerLostError) as lost:
        answered(ends, b"42" + said, PARCEL, files_bytes=len(said))
    assert lost.value.started


@pytest.mark.parametrize("count", [-1, 10_000, "1", None, 1.5])
def test_a_worker_that_miscounts_its_files_is_lost(ends, count) -> None:
    with pytest.raises(WorkerLostError):
        answered(ends, b"42" + bundle(), PARCEL, files_bytes=count)


def test_a_worker_may_not_send_more_than_the_workspace_holds(ends) -> None:
    channel, their_write = ends
    worker = Worker(channel, lambda: None, fits=lambda *_: True)
    head = json.dumps({**END, "files_bytes": 1}).encode()
    os.write(their_write, len(head).to_bytes(4, "big") + (1 << 25).to_bytes(4, "big") + head)
    begin = time.monotonic()
    with pytest.raises(WorkerLostError, match="frame of"):
        worker.run(*RUN, PARCEL)
    assert time.monotonic() - begin < Limits().wall_s
