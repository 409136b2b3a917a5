"""Bundles are written whole or not at all, and read with a bound."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from toolguild.registry.bundles import BundleError, read_bundle, write_bundle

DATA = b'{"payload": ""}\n'


def test_a_bundle_is_written_for_its_owner_and_read_back(tmp_path):
    path = tmp_path / "tools.json"
    write_bundle(path, DATA)
    assert read_bundle(path) == DATA
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [path]


def test_what_is_there_is_replaced_only_by_force(tmp_path):
    path = tmp_path / "tools.json"
    path.write_text("mine")
    with pytest.raises(BundleError, match=r"exists; .*--force"):
        write_bundle(path, DATA)
    assert path.read_text() == "mine"
    write_bundle(path, DATA, force=True)
    assert path.read_bytes() == DATA


@pytest.mark.parametrize("force", [False, True])
@pytest.mark.parametrize("kind", ["folder", "link", "dangling link", "pipe", "device"])
def test_what_is_no_ordinary_file_is_never_written_to(tmp_path, kind, force):
    path, other = tmp_path / "tools.json", tmp_path / "other"
    other.write_text("mine")
    match kind:
        case "folder":
            path.mkdir()
        case "link":
            path.symlink_to(other)
        case "dangling link":
            path.symlink_to(tmp_path / "nowhere")
        case "pipe":
            os.mkfifo(path)
        case "device":
            path = Path("/dev/null")
    with pytest.raises(BundleError, match="not an ordinary file, and not replaced"):
        write_bundle(path, DATA, force=force)
    assert other.read_text() == "mine"
    assert not (tmp_path / "nowhere").exists()


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("missing/tools.json", "there is no folder"),
        ("file/tools.json", "Not a directory"),
        ("a\0b", "null"),
        ("x" * 300, "too long"),
        ("..", "not an ordinary file"),
        ("sub/../../tools.json/", "there is no folder"),
    ],
)
def test_a_path_that_cannot_be_is_told(tmp_path, name, said):
    (tmp_path / "file").write_text("")
    with pytest.raises(BundleError, match=said):
        write_bundle(tmp_path / name, DATA)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_full_disk_leaves_nothing_and_keeps_what_was_there(tmp_path, monkeypatch):
    def full(_descriptor):
        raise OSError(28, "No space left on device")

    path = tmp_path / "tools.json"
    path.write_text("mine")
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(BundleError, match="No space left on device; nothing was written"):
        write_bundle(path, DATA, force=True)
    assert [(one.name, one.read_text()) for one in tmp_path.iterdir()] == [("tools.json", "mine")]


ENDLESS = """
import os, signal, sys
from pathlib import Path
from toolguild.registry.bundles import write_bundle

def stop(descriptor):
    print("half", flush=True)
    signal.pause()

os.fsync = stop
write_bundle(Path(sys.argv[1]), b"x" * 1_000_000)
"""


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGKILL])
def test_an_export_that_is_ended_leaves_no_half_bundle(tmp_path, ending):
    path = tmp_path / "tools.json"
    command = [sys.executable, "-c", ENDLESS, str(path)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "half\n"
        process.send_signal(ending)
        process.communicate(timeout=60)
    assert not path.exists()
    if ending is signal.SIGINT:
        assert list(tmp_path.iterdir()) == []
    write_bundle(path, DATA)
    assert read_bundle(path) == DATA


def test_what_is_no_file_or_too_large_is_not_read(tmp_path, monkeypatch):
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path, tmp_path / "pipe", Path("/dev/zero")):
        with pytest.raises(BundleError, match=r"not an ordinary file|Is a directory"):
            read_bundle(path)
    with pytest.raises(BundleError, match="No such file"):
        read_bundle(tmp_path / "missing")
    monkeypatch.setattr("toolguild.registry.bundles.files.MAX_ENVELOPE_BYTES", 3)
    (tmp_path / "large").write_bytes(b"1234")
    with pytest.raises(BundleError, match="larger than 3 bytes"):
        read_bundle(tmp_path / "large")
