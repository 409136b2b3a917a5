"""Records out of files, whatever strings them together, and however broken they are."""

from __future__ import annotations

import json
import os
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolguild.sandbox import Json
from toolguild.synth.traces.errors import OversizedRecord, Problem, TraceFileError
from toolguild.synth.traces.framing import CHUNK_BYTES
from toolguild.synth.traces.records import Record, read_records

scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(st.characters(exclude_categories=["Cs"])),
    st.sampled_from(['"', "\\", '{"', '\\"}', "]", "[{", "\n", "\\u0041"]),
)
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4)
    ),
    max_leaves=10,
)
# A record is an object with something in it: `{}` looks the same pretty-printed and on a line.
record_lists = st.lists(
    st.dictionaries(st.text(max_size=5), values, min_size=1, max_size=4), min_size=1, max_size=4
)
framings = st.sampled_from(["lines", "array", "pretty array", "spread array", "joined", "pretty"])


def framed(records: list[Json], framing: str, *, ascii_only: bool = True) -> str:
    def dump(value: Json, indent: int | None = None) -> str:
        return json.dumps(value, indent=indent, ensure_ascii=ascii_only)

    match framing:
        case "lines":
            return "".join(dump(record) + "\n" for record in records)
        case "array":
            return dump(records)
        case "pretty array":
            return dump(records, indent=2)
        case "spread array":
            return "[" + ",\n".join(map(dump, records)) + "]\n"
        case "joined":
            return "".join(map(dump, records))
        case _:
            return "\n".join(dump(record, indent=1) for record in records)


def read(path: Path, max_record_bytes: int = 32_000_000) -> tuple[list[Record], list[Problem]]:
    items = list(read_records(path, max_record_bytes=max_record_bytes))
    records = [item for item in items if isinstance(item, Record)]
    return records, [item for item in items if isinstance(item, Problem)]


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("records") / "log.json"


@given(record_lists, framings, st.booleans(), st.booleans())
def test_every_framing_gives_the_same_records(
    log: Path, records: list[Json], framing: str, ascii_only: bool, with_bom: bool
) -> None:
    text = framed(records, framing, ascii_only=ascii_only)
    log.write_text(text, encoding="utf-8-sig" if with_bom else "utf-8")
    found, problems = read(log)
    assert [record.value for record in found] == records
    assert problems == []


@given(record_lists, framings, st.booleans(), st.data())
def test_a_file_cut_anywhere_gives_the_first_records(
    log: Path, records: list[Json], framing: str, ascii_only: bool, data: st.DataObject
) -> None:
    whole = framed(records, framing, ascii_only=ascii_only).encode()
    cut = data.draw(st.integers(1, len(whole)))
    log.write_bytes(whole[:cut])
    found, problems = read(log)
    assert [record.value for record in found] == records[: len(found)]
    if len(found) < len(records):
        # Cut between two records, lines and joined objects look whole.
        assert problems or whole[:cut].rstrip().endswith(b"}")


@given(st.binary(min_size=1).filter(lambda data: b"\0" not in data and data.strip()))
def test_no_bytes_make_reading_fail(log: Path, data: bytes) -> None:
    log.write_bytes(data)
    try:
        found, problems = read(log)
    except TraceFileError as error:
        assert "is empty" in str(error)
    else:
        assert found or problems or not data.strip(b" \t\r\n,\x0b\x0c[]\xef\xbb\xbf")


@pytest.mark.parametrize("framing", ["lines", "array", "pretty array", "joined", "pretty"])
def test_records_know_the_line_they_start_on(tmp_path: Path, framing: str) -> None:
    records: list[Json] = [{"text": "a\nb", "n": n, "list": [n]} for n in range(4)]
    path = tmp_path / "log.json"
    path.write_text("\n\n" + framed(records, framing))
    lines = path.read_text().splitlines()
    found, _ = read(path)
    starts = [record.place.line for record in found]
    assert [record.index for record in found] == [0, 1, 2, 3]
    if framing in ("array", "joined"):
        assert starts == [3, 3, 3, 3]
    else:
        assert all(lines[line - 1].lstrip().startswith("{") for line in starts)
        assert len(set(starts)) == 4


@pytest.mark.parametrize("framing", ["array", "pretty array", "joined", "pretty"])
def test_strings_and_brackets_across_chunks_are_followed(tmp_path: Path, framing: str) -> None:
    # Quotes, backslashes and brackets land on every position around the ends of the chunks.
    records: list[Json] = [
        {"pad": "x" * (CHUNK_BYTES - offset), "tricky": '\\"}]{["\\\\', "end": offset}
        for offset in range(-5, 60)
    ]
    path = tmp_path / "log.json"
    path.write_text(framed(records, framing))
    found, problems = read(path)
    assert [record.value for record in found] == records
    assert problems == []


def test_lists_on_lines_are_records_and_one_list_is_an_array_of_them(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    path.write_text('[{"a": 1}, {"a": 2}]\n')
    assert [record.value for record in read(path)[0]] == [{"a": 1}, {"a": 2}]
    path.write_text('[{"a": 1}, {"a": 2}]\n\n[{"a": 3}]\n')
    assert [record.value for record in read(path)[0]] == [[{"a": 1}, {"a": 2}], [{"a": 3}]]


@pytest.mark.parametrize(
    "broken",
    [
        '{"a": 1',
        '{"a": ',
        '{"a": [',
        '{"a": "cut off in a str',
        "INFO: started",
        "{'a': 1}",
        '{"a": 1} trailing',
        '{"a" 1}',
    ],
)
@pytest.mark.parametrize("position", [0, 1, 2])
def test_a_broken_line_is_reported_and_skipped(tmp_path: Path, broken: str, position: int) -> None:
    lines = ['{"n": 1}', '{"n": 2}', '{"n": 3}']
    lines.insert(position, broken)
    path = tmp_path / "log.jsonl"
    path.write_text("\n".join(lines))
    found, problems = read(path)
    assert [record.value for record in found] == [{"n": 1}, {"n": 2}, {"n": 3}]
    assert [problem.place.line for problem in problems] == [position + 1]
    assert str(path) in str(problems[0])


def test_an_array_cut_off_gives_its_elements_and_the_line_of_the_cut(tmp_path: Path) -> None:
    path = tmp_path / "log.json"
    path.write_text('[\n {"n": 1},\n {"n": 2},\n {"n": 3, "deep": [1,')
    found, problems = read(path)
    assert [record.value for record in found] == [{"n": 1}, {"n": 2}]
    assert [(problem.place.line, problem.message) for problem in problems] == [
        (4, "the record that starts here is cut off")
    ]


@pytest.mark.parametrize("cut", ["...", '"', '", "c": {"d', '", "c": {"d": "'])
def test_an_array_on_one_line_cut_off_gives_its_elements_too(tmp_path: Path, cut: str) -> None:
    path = tmp_path / "log.json"
    path.write_text('[{"n": 1}, {"n": 2, "text": "a"}, {"n": 3, "b": "' + cut)
    found, problems = read(path)
    assert [record.value for record in found] == [{"n": 1}, {"n": 2, "text": "a"}]
    assert [problem.message for problem in problems] == ["the record that starts here is cut off"]


def test_elements_that_are_no_records_are_reported_once_in_a_row(tmp_path: Path) -> None:
    path = tmp_path / "log.json"
    path.write_text('[{"n": 1},\n3, "text with ]", null,\n{"n": 2}]')
    found, problems = read(path)
    assert [record.value for record in found] == [{"n": 1}, {"n": 2}]
    assert [problem.place.line for problem in problems] == [2]


def test_a_broken_element_does_not_hide_the_next(tmp_path: Path) -> None:
    path = tmp_path / "log.json"
    path.write_text('[{"n": 1},\n{"n" 2},\n{"n": 3}]')
    found, problems = read(path)
    assert [record.value for record in found] == [{"n": 1}, {"n": 3}]
    assert [problem.place.line for problem in problems] == [2]


@pytest.mark.parametrize("framing", ["lines", "array", "pretty array", "joined", "pretty"])
def test_a_record_over_the_bound_is_skipped(tmp_path: Path, framing: str) -> None:
    records: list[Json] = [{"n": 1}, {"big": "x" * 300_000}, {"n": 3}]
    path = tmp_path / "log.json"
    path.write_text(framed(records, framing))
    found, problems = read(path, max_record_bytes=100_000)
    assert [record.value for record in found] == [{"n": 1}, {"n": 3}]
    (problem,) = problems
    assert isinstance(problem, OversizedRecord)
    assert f"line {problem.place.line} is larger than 100000 bytes" in problem.message


@pytest.mark.parametrize("start", [b'{"text": "', b'[{"text": "', b'{"a": 1}{"text": "', b"plain "])
def test_two_hundred_megabytes_on_a_line_take_little_memory(tmp_path: Path, start: bytes) -> None:
    path = tmp_path / "log.json"
    with path.open("wb") as file:
        file.write(start)
        for _ in range(200):
            file.write(b"x" * 1_000_000)
        file.write(b'"}')
    tracemalloc.start()
    try:
        _, problems = read(path)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert "line 1 is larger than 32 MB" in problems[0].message
    assert peak < 100_000_000


@pytest.mark.parametrize("depth", [101, 5_000, 500_000])
def test_deep_nesting_is_a_broken_record(tmp_path: Path, depth: int) -> None:
    path = tmp_path / "log.jsonl"
    path.write_text('{"n": 1}\n{"a": ' + "[" * depth + "]" * depth + '}\n{"n": 2}\n')
    found, problems = read(path)
    assert [record.value for record in found] == [{"n": 1}, {"n": 2}]
    assert [(problem.place.line, problem.message) for problem in problems] == [
        (2, "nested deeper than 100 levels")
    ]


def test_nesting_up_to_the_bound_is_read(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    path.write_text('{"a": ' + "[" * 99 + "]" * 99 + "}\n" + '{"flat": [' + "[]," * 500 + "1]}\n")
    found, problems = read(path)
    assert len(found) == 2
    assert problems == []


def test_numbers_that_json_does_not_know_are_null(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    path.write_text('{"a": NaN, "b": -Infinity, "c": 1e999, "d": 1.5}\n')
    assert read(path)[0][0].value == {"a": None, "b": None, "c": None, "d": 1.5}


def test_huge_integers_are_kept_up_to_what_python_converts(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    path.write_text('{"a": 1' + "0" * 4000 + '}\n{"a": ' + "9" * 5000 + '}\n{"a": 1}\n')
    found, problems = read(path)
    assert [record.value for record in found] == [{"a": 10**4000}, {"a": 1}]
    assert [problem.place.line for problem in problems] == [2]


def test_halves_of_surrogate_pairs_are_replaced(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    path.write_text('{"a\\udc00": ["\\ud83d", "\\ud83d\\ude00"]}\n')
    assert read(path)[0][0].value == {"a\ufffd": ["\ufffd", "\U0001f600"]}


def test_a_line_that_is_not_utf8_is_reported(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    path.write_bytes(b'{"n": 1}\n{"n": "caf\xe9"}\n{"n": 3}\n')
    found, problems = read(path)
    assert [record.value for record in found] == [{"n": 1}, {"n": 3}]
    assert [(p.place.line, p.message) for p in problems] == [
        (2, "not UTF-8 (byte 10 of the record)")
    ]


@pytest.mark.parametrize("content", [b"", b"\n \r\n\t", b"\xef\xbb\xbf", b"\xef\xbb\xbf \n"])
def test_an_empty_file_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "log.jsonl"
    path.write_bytes(content)
    with pytest.raises(TraceFileError, match=r"log\.jsonl is empty"):
        read(path)


@pytest.mark.parametrize("content", [b"\x1f\x8b\x08\0\0\0", '{"n": 1}'.encode("utf-16")])
def test_a_binary_file_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "log.jsonl"
    path.write_bytes(content)
    with pytest.raises(TraceFileError, match=r"log\.jsonl is binary"):
        read(path)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TraceFileError, match=r"none\.jsonl does not exist"):
        read(tmp_path / "none.jsonl")


def test_a_pipe_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.jsonl")
    with pytest.raises(TraceFileError, match="not a regular file"):
        read(tmp_path / "pipe.jsonl")


def test_an_unreadable_file_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "log.jsonl"
    path.write_text('{"n": 1}\n')

    # As root, which the tests may run as, no mode keeps a file from being opened.
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(TraceFileError, match=r"log\.jsonl cannot be read: Permission denied"):
        read(path)
