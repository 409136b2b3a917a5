"""Heads that were kept elsewhere show what the chain alone cannot."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
from contextlib import closing

import pytest
from forging import forged
from hypothesis import assume, given
from hypothesis import strategies as st
from sqlalchemy import delete, select, update

from toolguild.policies import Tier
from toolguild.registry import CallStatus, Registry, ToolSpec, Use, schema, tail, verify
from toolguild.registry.anchors import (
    AnchoredHead,
    AnchorError,
    append_to_file,
    read_anchors,
    read_file,
    take_anchor,
)
from toolguild.registry.chain import GENESIS, AuditRow
from toolguild.registry.git_notes import append_note, read_notes
from toolguild.registry.signing import new_key, read_private_key

ROWS = 8
FIELDS = ("at", "actor", "action", "subject", "body", "prev_hash", "hash", "uses")


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A registry with some rows, and the head after each of them."""
    path = tmp_path_factory.mktemp("anchors") / "tools.db"
    schema = {"type": "object", "properties": {}}
    heads = []
    with Registry.open(path, actor="tester") as registry:
        for number in range(ROWS // 2):
            name = f"tool_{number}"
            registry.register(ToolSpec(name, "One.", f"def {name}(): ...", schema, {}))
            heads.append(take_anchor(registry))
            registry.set_tier(name, Tier.RESTRICTED, why="earned")
            heads.append(take_anchor(registry))
        rows = tail(registry, ROWS)
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return path, rows, heads


@pytest.fixture(scope="module")
def judge(made, tmp_path_factory):
    """Put other rows into a copy of the registry, as one who holds the file would; verify it."""
    path, _, heads = made
    copy = tmp_path_factory.mktemp("tampered") / "tools.db"

    def tamper(rows, anchors=()):
        for suffix in ("", "-wal", "-shm"):
            copy.with_name(f"tools.db{suffix}").unlink(missing_ok=True)
        shutil.copy(path, copy)
        with forged(copy) as connection:
            connection.execute("DELETE FROM audit")
            values = [(row.seq, *(getattr(row, field) for field in FIELDS)) for row in rows]
            connection.executemany("INSERT INTO audit VALUES (?,?,?,?,?,?,?,?,?)", values)
        with Registry.open(copy) as registry:
            return verify(registry), verify(registry, [heads[number - 1] for number in anchors])

    return tamper


def changed(row: AuditRow, **fields: object) -> AuditRow:
    return AuditRow(**({name: getattr(row, name) for name in ("seq", *FIELDS)} | fields))


def rechained(rows):
    """Give rows the numbers and hashes of a chain, as a careful forger would."""
    previous, made = GENESIS, []
    for seq, row in enumerate(rows, start=1):
        linked = changed(row, seq=seq, prev_hash=previous)
        made.append(changed(linked, hash=linked.computed_hash()))
        previous = made[-1].hash
    return made


PLACES = st.integers(1, ROWS)
TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=40)


def test_the_rows_as_they_were_written_hold(made, judge):
    _, rows, _ = made
    for report in judge(rows, range(1, ROWS + 1)):
        assert (report.rows, report.problem) == (ROWS, "")
    assert rechained(rows) == rows


@given(place=PLACES, field=st.sampled_from(FIELDS), text=TEXTS)
def test_any_edit_is_found_in_its_row(made, judge, place, field, text):
    _, rows, _ = made
    edited = list(rows)
    edited[place - 1] = changed(rows[place - 1], **{field: text})
    assume(edited != rows)
    report, _ = judge(edited)
    assert report.seq == place


@given(place=st.integers(1, ROWS - 1), closed=st.booleans())
def test_any_deletion_is_found_where_the_row_was(made, judge, place, closed):
    _, rows, _ = made
    left = [row for row in rows if row.seq != place]
    if closed:
        left = [changed(row, seq=seq) for seq, row in enumerate(left, start=1)]
    report, _ = judge(left)
    assert report.seq == place


@given(place=PLACES, like=PLACES, text=TEXTS, careful=st.booleans())
def test_any_insertion_is_found_in_it_or_in_the_row_that_should_follow_it(
    made, judge, place, like, text, careful
):
    _, rows, _ = made
    before, after = rows[: place - 1], rows[place - 1 :]
    new = changed(rows[like - 1], seq=place, actor=text)
    if careful:
        new = rechained([*before, new])[-1]
    report, _ = judge([*before, new, *(changed(row, seq=row.seq + 1) for row in after)])
    assert report.seq == (place + 1 if careful else place)


@given(order=st.permutations(range(ROWS)))
def test_any_other_order_is_found_in_its_first_row(made, judge, order):
    _, rows, _ = made
    assume(order != sorted(order))
    report, _ = judge([changed(rows[old], seq=new) for new, old in enumerate(order, start=1)])
    assert report.seq == 1 + next(new for new, old in enumerate(order) if new != old)


@given(left=st.integers(0, ROWS - 1), anchors=st.sets(PLACES, min_size=1))
def test_rows_that_were_cut_off_are_missed_by_every_later_head(made, judge, left, anchors):
    _, rows, _ = made
    report, found = judge(rows[:left], anchors)
    assert report.seq is None  # the chain holds; only the tables tell that something is amiss
    if max(anchors) <= left:
        assert found == report
    else:
        assert found.seq == left + 1
        assert "cut off" in found.problem


@given(place=PLACES, text=TEXTS, anchors=st.sets(PLACES, min_size=1))
def test_a_trail_written_anew_is_found_at_the_first_head_after_the_change(
    made, judge, place, text, anchors
):
    _, rows, _ = made
    forged = list(rows)
    forged[place - 1] = changed(rows[place - 1], actor=text)
    assume(forged != rows)
    report, found = judge(rechained(forged), anchors)
    assert report.ok  # a chain that was made anew as a whole holds
    later = [anchor for anchor in anchors if anchor >= place]
    if not later:
        assert found.ok
    else:
        assert found.seq == min(later)
        assert found.rows == max((anchor for anchor in anchors if anchor < place), default=0)


def test_heads_are_added_to_a_file_and_read_back(tmp_path, registry, make_spec):
    path = tmp_path / "heads.txt"
    taken = []
    for name in ("one", "two"):
        taken.append(take_anchor(registry))
        append_to_file(path, taken[-1])
        registry.register(make_spec(name))
    anchors = read_anchors(read_file(path), "heads.txt")
    assert anchors == taken
    assert [anchor.seq for anchor in anchors] == [0, 1]
    assert verify(registry, anchors).ok
    assert path.read_text().count("\n") == 2


def test_a_line_from_before_uses_were_anchored_is_read(registry, make_spec):
    registry.register(make_spec())
    taken = take_anchor(registry)
    [anchor] = read_anchors([f"{taken.seq} {taken.hash} {taken.at}"], "heads.txt")
    assert (anchor.hash, anchor.uses) == (taken.hash, None)
    assert verify(registry, [anchor]).ok


@pytest.fixture
def used(registry, make_spec):
    """Record four uses, and anchor after each of them."""
    version = registry.register(make_spec()).version
    anchors = []
    for number in range(4):
        use = Use(version.digest, f"sha256:{number}", CallStatus.OK, 0.5, registry.now())
        registry.record(use)
        anchors.append(take_anchor(registry))
    return anchors


def without_uses(registry, unguarded, last):
    """Cut off the uses after one, with their head, as one who knows all about it would."""
    uses = schema.uses
    end = select(uses.c.hash).where(uses.c.id == last).scalar_subquery()
    head = update(schema.heads).where(schema.heads.c.chain == "uses")
    with unguarded(registry) as connection:
        assert connection.execute(delete(uses).where(uses.c.id > last)).rowcount
        connection.execute(head.values(seq=last, hash=end))


def test_uses_that_were_cut_off_are_missed_by_every_later_head(registry, unguarded, used):
    assert verify(registry, used).ok
    without_uses(registry, unguarded, 1)
    assert verify(registry).ok
    assert verify(registry, used[:1]).ok
    told = f"uses 2 to 3 were cut off: use 3 was anchored at {used[2].at}"
    assert verify(registry, used[2:]).problem == told
    held = ", and use 1 is the last anchored one that was not"
    assert verify(registry, [used[2], used[0]]).problem == told + held


def test_uses_that_were_written_anew_are_found_at_the_first_head_after(registry, unguarded, used):
    without_uses(registry, unguarded, 2)
    digest = registry.tool("double").digest
    for _ in range(2):
        registry.record(Use(digest, "sha256:x", CallStatus.OK, 0.5, registry.now()))
    assert verify(registry).ok
    problem = verify(registry, [used[3], used[1]]).problem
    assert problem == (
        f"use 4 is not the one anchored at {used[3].at}: it was rewritten, and use 2 is the last "
        "anchored one that was not"
    )


def test_what_stands_in_the_file_is_never_changed(tmp_path, registry):
    path = tmp_path / "heads.txt"
    path.write_text("0 half a li")
    with pytest.raises(AnchorError, match="its last line is not whole"):
        append_to_file(path, take_anchor(registry))
    assert path.read_text() == "0 half a li"


def test_a_head_is_anchored_only_when_it_is_on_the_disk(tmp_path, registry, monkeypatch):
    def broken(_descriptor):
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "fsync", broken)
    with pytest.raises(AnchorError, match="Input/output error; the head was not anchored"):
        append_to_file(tmp_path / "heads.txt", take_anchor(registry))


LINE = f"3 sha256:{'a' * 64} 2026-11-22T00:00:00.000000+00:00"


@pytest.mark.parametrize(
    "line",
    [
        "nonsense",
        f"{LINE} 7",
        f"{LINE} sha256:{'a' * 64} 7",
        f"{LINE} 07 sha256:{'a' * 64}",
        LINE.replace("3", "03", 1),
        LINE.replace("3", "-3", 1),
        LINE.replace("3", "9" * 30, 1),
        LINE.upper(),
        f"{LINE} ",
        f" {LINE}",
        f"{LINE} sha256:{'a' * 64}",
        f"{LINE} sha256:{'a' * 64} {'A' * 87}==",
        f"{LINE}\0",
        LINE.replace("3", "\u0663", 1),
    ],
)
def test_a_line_that_is_no_head_is_named(line):
    with pytest.raises(AnchorError, match=r"heads\.txt:2: not an anchored head"):
        read_anchors([LINE, line], "heads.txt")


def test_no_heads_prove_nothing(tmp_path):
    with pytest.raises(AnchorError, match="no head is anchored there"):
        read_anchors(["", "  "], "heads.txt")
    (tmp_path / "binary").write_bytes(b"\xff")
    for name, said in (("missing", "No such file"), (".", "directory"), ("binary", "no file of")):
        with pytest.raises(AnchorError, match=said):
            read_file(tmp_path / name)


@pytest.fixture
def key(tmp_path):
    new_key(tmp_path / "auditor")
    return read_private_key(tmp_path / "auditor")


def test_a_signed_head_is_believed_and_a_forged_one_is_not(registry, key, tmp_path, make_spec):
    registry.register(make_spec())
    signed = take_anchor(registry, key)
    assert read_anchors([signed.line], "x", [key.public]) == [signed]
    other = new_key(tmp_path / "other")
    forged = [
        signed.content,
        signed.line.replace(signed.at[:10], "2020-01-01"),
        signed.line.replace(f"{signed.seq} ", f"{signed.seq + 1} ", 1),
        signed.line.replace(signed.hash, GENESIS),
        signed.line.replace(f" {signed.uses.seq} {signed.uses.hash}", ""),
        signed.line.replace(f" {signed.uses.seq} ", f" {signed.uses.seq + 1} "),
        signed.line.replace(key.public.id, other.id),
    ]
    for line in forged:
        with pytest.raises(AnchorError, match="not signed by a trusted key"):
            read_anchors([line], "x", [key.public, other])
    with pytest.raises(AnchorError, match="not signed by a trusted key"):
        read_anchors([signed.line], "x", [other])


def git(folder, *arguments):
    names = ("-c", "user.name=Tester", "-c", "user.email=tester@example.org")
    subprocess.run(
        [shutil.which("git"), "-C", folder, *names, *arguments], check=True, capture_output=True
    )


@pytest.fixture
def repository(tmp_path, monkeypatch):
    folder = tmp_path / "repository"
    folder.mkdir()
    for role in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{role}_NAME", "Tester")
        monkeypatch.setenv(f"GIT_{role}_EMAIL", "tester@example.org")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    git(folder, "init", "-q")
    git(folder, "commit", "-q", "--allow-empty", "-m", "first")
    return folder


def test_heads_are_kept_in_notes_on_several_commits(registry, repository, make_spec):
    taken = []
    for number, name in enumerate(("one", "two", "three")):
        registry.register(make_spec(name))
        taken.append(take_anchor(registry))
        append_note(repository, taken[-1])
        if number == 1:
            git(repository, "commit", "-q", "--allow-empty", "-m", "second")
    anchors = read_anchors(read_notes(repository), "notes")
    assert sorted(anchors, key=lambda anchor: anchor.seq) == taken
    assert verify(registry, anchors).ok


def test_without_a_repository_or_a_commit_git_says_why(registry, tmp_path, monkeypatch):
    anchor = AnchoredHead(0, GENESIS, "2026-11-22T00:00:00.000000+00:00")
    with pytest.raises(AnchorError, match="not a git repository"):
        append_note(tmp_path, anchor)
    git(tmp_path, "init", "-q")
    with pytest.raises(AnchorError, match="failed"):
        append_note(tmp_path, anchor)
    assert read_notes(tmp_path) == []
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(AnchorError, match="no git here"):
        read_notes(tmp_path)
