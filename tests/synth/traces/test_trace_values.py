"""Texts of logs as values: results, arguments, errors, code."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolguild.sandbox import Json
from toolguild.synth.traces.values import (
    RAW_ARGUMENTS,
    arguments_of,
    clean_code,
    decode_text,
    error_in,
    result_of,
    text_of,
    traceback_error,
    without_ansi,
)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('{"a": [1]}', {"a": [1]}),
        ("[]", []),
        ("255.0", 255.0),
        ("1200", 1200),
        ("-3", -3),
        ("true", True),
        ("null", None),
        (" 12 ", 12),
        ("12.50", 12.5),
        ("90071992547409931234", 90071992547409931234),
    ],
)
def test_json_texts_are_decoded(text: str, value: Json) -> None:
    decoded = decode_text(text)
    assert decoded == value
    assert type(decoded) is type(value)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "rainy",
        "00123",
        "+5",
        "0.1234567890123456789",
        "1e999",
        "NaN",
        '"quoted"',
        "{'a': 1}",
        '{"a": NaN}',
        "12 apples",
        "[" * 1000 + "]" * 1000,
        "9" * 5000,
    ],
)
def test_other_texts_stay_as_they_are(text: str) -> None:
    assert decode_text(text) == text


@given(st.text())
def test_decoding_never_fails_and_never_gives_what_json_does_not_say(text: str) -> None:
    value = decode_text(text)
    assert value == text or json.loads(text) == value


def test_arguments_that_are_no_object_are_kept_raw() -> None:
    assert arguments_of('{"a": 1}') == {"a": 1}
    assert arguments_of({"a": 1}) == {"a": 1}
    assert arguments_of(None) == arguments_of("  ") == {}
    assert arguments_of('{"a": ') == {RAW_ARGUMENTS: '{"a": '}
    assert arguments_of("[1]") == {RAW_ARGUMENTS: "[1]"}
    assert arguments_of([1]) == {RAW_ARGUMENTS: [1]}


def test_content_parts_are_joined_to_text() -> None:
    parts: Json = [{"type": "text", "text": "a"}, {"type": "image_url"}, "b"]
    assert text_of(parts) == "a\nb"
    assert text_of(None) == text_of({"text": "no list"}) == ""
    assert result_of([{"type": "text", "text": '{"n": 1}'}]) == {"n": 1}
    assert result_of([{"n": 1}]) == [{"n": 1}]


@pytest.mark.parametrize(
    ("result", "error"),
    [
        ("Error: no such user", "Error: no such user"),
        ("error during execution", "error during execution"),
        ({"error": "no such file"}, "no such file"),
        ({"error": "no such file", "hint": "ls"}, "no such file"),
        ({"status": 404, "error": "not found"}, "not found"),
        ({"result": None, "error": {"message": "boom", "code": 1}}, "boom"),
        ("Errors: 0", None),
        ("No error", None),
        ({"error": ""}, None),
        ({"error": None, "result": 1}, None),
        ({"matches": 3, "error": "one file skipped"}, None),
        ({"errors": ["a"]}, None),
        (["error"], None),
        (None, None),
    ],
)
def test_errors_are_told_from_results(result: Json, error: str | None) -> None:
    assert error_in(result) == error


@pytest.mark.parametrize(
    ("shown", "error"),
    [
        (
            "---\nZeroDivisionError   Traceback (most recent call last)\nCell In[1], line 1\n"
            "----> 1 1/0\n\nZeroDivisionError: division by zero",
            "ZeroDivisionError: division by zero",
        ),
        (
            'Traceback (most recent call last):\n  File "<stdin>", line 1\n'
            "numpy.linalg.LinAlgError: Singular matrix\n",
            "numpy.linalg.LinAlgError: Singular matrix",
        ),
        (
            "  Cell In[3], line 1\n    x = = 1\nSyntaxError: invalid syntax",
            "SyntaxError: invalid syntax",
        ),
        (
            "TypeError    Traceback (most recent call last)\nCell In[1]\n[Output Truncated]",
            "TypeError",
        ),
        ("Traceback (most recent call last):\n [cut]", "traceback cut off"),
        ("KeyError: is what the user asked about", None),
        ("Out[1]: 3", None),
        ("", None),
    ],
)
def test_the_last_line_of_a_traceback_is_the_error(shown: str, error: str | None) -> None:
    assert traceback_error(shown) == error


def test_terminal_colours_are_removed() -> None:
    assert without_ansi("\x1b[0;31mZeroDivisionError\x1b[0m: x\x1b[K") == "ZeroDivisionError: x"


@pytest.mark.parametrize(
    ("code", "clean"),
    [
        ("\n    if a:\n        b()\n\n", "if a:\n    b()"),
        (" total = 1 + 1 ", "total = 1 + 1"),
        (" import math\nprint(1)\n", "import math\nprint(1)"),
        ("a = 1\r\nb = 2\r\n", "a = 1\nb = 2"),
        ("   \n\n  x\n", "x"),
        ("", ""),
    ],
)
def test_code_is_dedented_and_stripped_of_blank_edges(code: str, clean: str) -> None:
    assert clean_code(code) == clean
