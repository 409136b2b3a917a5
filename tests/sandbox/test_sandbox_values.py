"""JSON on its way out of a sandbox: encoded inside, checked again on the host."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from toolguild.sandbox.inside.plain import MAX_DEPTH, encode_plain
from toolguild.sandbox.values import decode_untrusted

_TEXT = st.text(max_size=10)
_ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | _TEXT | st.binary(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.tuples(inner, inner)
        | st.dictionaries(_TEXT | st.integers(), inner, max_size=4)
    ),
    max_leaves=20,
)


def nested(levels: int) -> object:
    value: object = 1
    for _ in range(levels):
        value = [value]
    return value


@settings(deadline=None)
@given(value=_ANYTHING)
def test_whatever_is_encoded_is_strict_json_of_the_same_value(value) -> None:
    try:
        encoded = encode_plain(value, "it")
    except (TypeError, ValueError):
        with pytest.raises((TypeError, ValueError, AssertionError)):
            # Either json refuses it as well, or it would not come back as it was.
            text = json.dumps(value, allow_nan=False, ensure_ascii=False)
            text.encode("utf-8")
            assert json.loads(text) == json.loads(json.dumps(value)) == value
        return
    assert encoded == json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
    assert decode_untrusted(encoded) == json.loads(encoded)


@settings(deadline=None)
@given(data=st.binary(max_size=40) | st.text('[]{}",:0e9.\\ud8 -NaIn', max_size=30).map(str.encode))
def test_whatever_is_decoded_could_be_written_as_strict_json(data) -> None:
    try:
        value = decode_untrusted(data)
    except ValueError:
        return
    json.dumps(value, allow_nan=False, ensure_ascii=False).encode("utf-8")


def test_the_same_depth_is_allowed_on_both_sides() -> None:
    at_most = nested(MAX_DEPTH)
    encoded = encode_plain(at_most, "it")
    assert decode_untrusted(encoded) == at_most
    with pytest.raises(ValueError, match="levels"):
        encode_plain(nested(MAX_DEPTH + 1), "it")
    with pytest.raises(ValueError, match="nested deeper"):
        decode_untrusted(b"[" + encoded + b"]")
    with pytest.raises(ValueError, match="nested deeper"):
        decode_untrusted(b"[" * 100_000 + b"]" * 100_000)


def test_brackets_in_text_are_no_depth() -> None:
    text = "[{" * 1000
    assert decode_untrusted(encode_plain([text], "it")) == [text]


def test_a_value_may_occur_twice_without_holding_itself() -> None:
    shared = [1]
    assert encode_plain([shared, shared], "it") == b"[[1],[1]]"


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"NaN", "NaN"),
        (b"[-Infinity]", "-Infinity"),
        (b"1e999", "beyond every float"),
        (b'"\\ud800"', "surrogates not allowed"),
        (b'{"\\udfff": 1}', "surrogates not allowed"),
        (b"\xff", "utf-8"),
        (b"1" * 5000, "4300 digits"),
        (b"[1", "delimiter"),
        (b"", "Expecting value"),
    ],
)
def test_what_is_no_strict_json_is_refused(data, why) -> None:
    with pytest.raises(ValueError, match=why):
        decode_untrusted(data)


def test_whole_characters_may_be_escaped() -> None:
    assert decode_untrusted(b'"\\ud83d\\ude00"') == "\U0001f600"
    assert decode_untrusted(b'"\\\\ud800"') == "\\ud800"
