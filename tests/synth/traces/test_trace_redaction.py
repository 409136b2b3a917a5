"""Secrets are replaced before anything else sees a record."""

from __future__ import annotations

import json
import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolguild.sandbox import Json, JsonObject
from toolguild.synth.traces import redact, redact_text
from toolguild.synth.traces.errors import RedactionError
from toolguild.synth.traces.redaction import redact_record

# Built from pieces: a secret written out would alarm the scanners that guard repositories.
KEYS = {
    "openai_key": "sk-" + "proj-" + "abcDEF0123456789abcdef",
    "anthropic_key": "sk-" + "ant-" + "api03-abcDEF0123456789abcdef",
    "github_token": "ghp" + "_" + "a1B2" * 9,
    "gitlab_token": "glpat" + "-" + "a1B2c3D4e5F6g7H8",
    "slack_token": "xoxb" + "-" + "123456789012-abcdefABCDEF",
    "aws_key": "AKIA" + "IOSFODNN7EXAMPLE",
    "google_key": "AIza" + "a1B2c3D" * 5,
    "stripe_key": "sk_" + "live_" + "a1B2c3D4e5F6g7H8",
    "jwt": "eyJ" + "hbGciOiJIUzI1NiJ9" + ".eyJzdWIiOiIxIn0" + ".c2lnbmF0dXJl",
    "private_key": "-----BEGIN RSA " + "PRIVATE KEY-----\nMIIabc+/=\n-----END RSA PRIVATE KEY-----",
    "card_number": "4111 1111 1111 1111",
}


def text_in(value: Json) -> str:
    return json.dumps(value, ensure_ascii=False)


@pytest.mark.parametrize(
    "name",
    [
        "password",
        "Passwd",
        "user_password",
        "secret",
        "client_secret",
        "clientSecret",
        "api_key",
        "X-API-Key",
        "OPENAI_API_KEY",
        "access_token",
        "refreshToken",
        "Authorization",
        "private_key",
        "Cookie",
        "aws_secret_access_key",
    ],
)
def test_values_are_known_by_their_names(name: str) -> None:
    for value in ("hunter22!", "swordfish", "p", 12345678):
        headers: JsonObject = {name: value, "other": "kept"}
        redacted = redact(headers)
        assert isinstance(redacted, dict)
        assert redacted.keys() == headers.keys()
        assert redacted["other"] == "kept"
        assert re.fullmatch(r"\[redacted:[a-z_]+#1\]", str(redacted[name]))


@pytest.mark.parametrize("kind", KEYS)
def test_values_are_known_by_their_shape(kind: str) -> None:
    secret = KEYS[kind]
    assert redact({"text": f"use {secret} now"}) == {"text": f"use [redacted:{kind}#1] now"}
    assert redact([secret]) == [f"[redacted:{kind}#1]"]


@pytest.mark.parametrize(
    ("text", "redacted"),
    [
        ("password=hunter22", "password=[redacted:password#1]"),
        ("PASSWORD=swordfish\nUSER=eve", "PASSWORD=[redacted:password#1]\nUSER=eve"),
        ("?api_key=a1b2c3&page=2", "?api_key=[redacted:api_key#1]&page=2"),
        ("{'password': 'hunter22', 'x': 1}", "{'password': '[redacted:password#1]', 'x': 1}"),
        ('{"secret": "abc def", cut', '{"secret": "[redacted:secret#1]", cut'),
        ('{\\"password\\": \\"hunter22\\"}', '{\\"password\\": \\"[redacted:password#1]\\"}'),
        ('connect(password="hunter22")', 'connect(password="[redacted:password#1]")'),
        (
            "Authorization: Bearer abc.def-123456",
            "Authorization: Bearer [redacted:authorization#1]",
        ),
        ("Authorization: Basic dXNlcjpwYXNz==", "Authorization: Basic [redacted:authorization#1]"),
        ("with bearer a1b2c3d4e5f6g7h8i9", "with bearer [redacted:bearer_token#1]"),
        ("Cookie: sid=abc; theme=dark\nHost: a", "Cookie: [redacted:cookie#1]\nHost: a"),
        ("postgres://me:s3cret@db/x", "postgres://me:[redacted:url_password#1]@db/x"),
        ("token=abcdef0123456789abcdef", "token=[redacted:token#1]"),
    ],
)
def test_values_are_known_by_names_in_texts(text: str, redacted: str) -> None:
    assert redact_text(text) == redacted


@pytest.mark.parametrize(
    "value",
    [
        {"token_count": 12, "password_required": True, "next_page_token": "abc"},
        {"token": "Hello", "tokens": [1, 2], "max_tokens": 100},
        {"password": None, "secret": "", "api_key": "**********", "cookie": False},
        {"password": "<password>", "secret": "${SECRET}", "api_key": "$API_KEY"},
        {"properties": {"password": {"type": "string", "description": "At least 8 letters"}}},
        {"required": ["username", "password"]},
        "the password is required: ask for it. Secret: be kind.",
        "password = input('password: ')",
        "api_key=os.environ['KEY'], secret = config.secret, f(password=password)",
        "def login(password: str = None, token: str = ''): ...",
        "key = key_of(secret_key) # the cookie: yum",
        "a bearer of responsibilities, authorization: required",
        "the risk-free task-based desk-bound sk-learn",
        "timestamps 1795223835367 and 1795223811900643051, id 4111111111111112",
        "pi is 3.14159265358979323846, 0.4111111111111111",
        {"session_id": "35cc6c90-b657-4819-b66c-c931c03ad569"},
        {"credit_card_4421486": {"last_four": "7447", "id": "credit_card_4421486"}},
    ],
)
def test_ordinary_values_are_left_alone(value: Json) -> None:
    assert redact(value) is value


def test_one_value_has_one_placeholder_everywhere_in_the_record() -> None:
    record: Json = {
        "said": "log in as eve with Kj8#mP9 please",
        "calls": [
            {"arguments": '{"user": "eve", "password": "Kj8#mP9"}'},
            {"arguments": {"user": "bob", "password": "other-one"}},
        ],
        "result": ["token for Kj8#mP9", {"echo": "Kj8#mP9"}],
    }
    assert redact(record) == {
        "said": "log in as eve with [redacted:password#1] please",
        "calls": [
            {"arguments": '{"user": "eve", "password": "[redacted:password#1]"}'},
            {"arguments": {"user": "bob", "password": "[redacted:password#2]"}},
        ],
        "result": ["token for [redacted:password#1]", {"echo": "[redacted:password#1]"}],
    }


def test_a_bearer_token_is_the_same_with_and_without_its_scheme() -> None:
    record: Json = {"Authorization": "Bearer abcdef123456", "body": "abcdef123456"}
    assert redact(record) == {
        "Authorization": "Bearer [redacted:authorization#1]",
        "body": "[redacted:authorization#1]",
    }


def test_a_card_number_is_the_same_however_it_is_grouped() -> None:
    redacted = redact(["4111 1111 1111 1111", "4111111111111111", 4111111111111111])
    assert redacted == ["[redacted:card_number#1]"] * 3


def test_short_and_common_values_are_replaced_only_in_place() -> None:
    record: JsonObject = {"password": "user", "role": "user", "text": "the user said"}
    assert redact(record) == {**record, "password": "[redacted:password#1]"}


def test_words_are_replaced_only_as_whole_words_and_never_as_keys_or_roles() -> None:
    record: Json = {
        "password": "assistant",
        "messages": [{"role": "assistant", "content": "assistant, assistants"}],
        "assistant": 1,
    }
    assert redact(record) == {
        "password": "[redacted:password#1]",
        "messages": [{"role": "assistant", "content": "[redacted:password#1], assistants"}],
        "assistant": 1,
    }


def test_structural_keys_hide_no_secrets() -> None:
    record: Json = {"source": "https://eve:hunter22@host/log", "type": KEYS["github_token"]}
    assert redact(record) == {
        "source": "https://eve:[redacted:url_password#1]@host/log",
        "type": "[redacted:github_token#2]",
    }


def test_secrets_in_keys_are_replaced() -> None:
    assert redact({KEYS["github_token"]: 1}) == {"[redacted:github_token#1]": 1}


def test_json_within_json_strings_stays_json() -> None:
    inner = json.dumps({"card": 4111111111111111, "note": 'pass"word'})
    outer = json.dumps({"arguments": inner, "password": 'pass"word'})
    redacted = redact({"text": outer})
    assert isinstance(redacted, dict)
    opened = json.loads(str(redacted["text"]))
    assert opened["password"] == "[redacted:password#2]"  # noqa: S105 - what stands for one
    assert json.loads(opened["arguments"]) == {
        "card": "[redacted:card_number#1]",
        "note": "[redacted:password#2]",
    }


def test_numbers_go_on_after_placeholders_already_there() -> None:
    record: Json = {"a": "[redacted:password#7]", "password": "something-new"}
    assert redact(record) == {"a": "[redacted:password#7]", "password": "[redacted:password#8]"}


def test_too_many_secrets_drop_the_record() -> None:
    with pytest.raises(RedactionError, match="more than 1000 secrets"):
        redact([{"password": f"secret-{n}"} for n in range(1001)])
    message = redact_text(" ".join(f"password=secret-{n}" for n in range(1001)))
    assert "secret-1" not in message


def test_many_secrets_in_many_texts_drop_the_record() -> None:
    secrets: Json = [{"password": f"secret-{n}"} for n in range(900)]
    with pytest.raises(RedactionError, match="too many secrets for its size"):
        redact([secrets, ["a text of no interest"] * 200_000])


def test_json_texts_of_json_texts_are_opened() -> None:
    text: Json = {"token": "a1b2c3d4e5f6g7h8i9", "password": "swordfish"}
    for _ in range(5):
        text = json.dumps(text)
    opened = redact(text)
    for _ in range(5):
        opened = json.loads(str(opened))
    assert opened == {"token": "[redacted:token#1]", "password": "[redacted:password#2]"}


fragments = st.sampled_from(
    [
        *KEYS.values(),
        "password",
        "secret",
        "token",
        "Cookie",
        "Authorization",
        "api_key",
        "Bearer ",
        "=",
        ": ",
        '"',
        "'",
        "\\",
        " ",
        "\n",
        "[",
        "]",
        "{",
        "}",
        "#",
        "-",
        "://",
        "@",
        "hunter22",
        "abcdef",
        "1",
        "[redacted:",
        "[redacted:password#1]",
        "password#2]",
        "redacted",
    ]
)
texts = st.lists(fragments | st.text(max_size=3), max_size=8).map("".join)
records = st.recursive(
    texts | st.none() | st.booleans() | st.integers() | st.sampled_from([4111111111111111]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            texts | st.sampled_from(["password", "role", "cookie"]), inner, max_size=4
        )
        | inner.map(json.dumps)
    ),
    max_leaves=12,
)


@given(records)
def test_redacting_twice_changes_nothing_more(record: Json) -> None:
    once = redact(record)
    assert redact(once) == once
    assert redact(record) == once


@given(records, st.sampled_from(sorted(KEYS)), st.integers(0, 3))
def test_no_secret_survives_wherever_it_stands(record: Json, kind: str, level: int) -> None:
    secret = KEYS[kind]
    nested: Json = f"see {secret} there"
    for _ in range(level):
        nested = json.dumps({"nested": nested})
    escaped = json.dumps(secret)[1:-1]
    assert escaped not in text_in(redact([nested, secret])).replace("\\\\", "\\")
    shape = redact([record, nested])
    assert isinstance(shape, list)
    assert secret not in str(shape[1])


@given(records)
def test_json_texts_stay_json_of_the_same_shape(record: Json) -> None:
    def shape(value: Json) -> object:
        if isinstance(value, dict):
            return ["object", *(shape(item) for item in value.values())]
        return ["array", *map(shape, value)] if isinstance(value, list) else "leaf"

    redacted = redact({"arguments": json.dumps({"inside": record})})
    assert isinstance(redacted, dict)
    assert shape(json.loads(str(redacted["arguments"]))) == shape({"inside": record})


@pytest.mark.parametrize(
    "text",
    [
        "-----BEGIN PRIVATE KEY-----" * 20_000,
        "-----BEGIN PRIVATE KEY-----" + "-a" * 200_000,
        "eyJ" * 150_000,
        "-eyJaaaaaaaa." * 40_000,
        "password=" * 50_000,
        "password: '" * 50_000,
        "://a:" * 100_000,
        "4111 " * 100_000,
        "cookie: a=" * 50_000,
        "authorization: bearer " * 20_000,
        '"\\' * 200_000,
        "[" * 400_000,
    ],
)
def test_hostile_texts_take_linear_time(text: str) -> None:
    started = time.monotonic()
    redact_text(text)
    assert time.monotonic() - started < 20  # quadratic time would be hours


surroundings = st.sampled_from(
    ["", "a", "7", ".", "0.", "/", "\\", '"', "-", "pass word", *" \n\x01\xa0\xe9\u212a"]
)
secrets_and_more = st.sampled_from(
    [
        *KEYS.values(),
        "4111111111111111",
        "task-1",
        "authority",
        "cvv",
        "token=abcDEF0123456789xyz",
        "postgres://user:hunter22@host/db",
        "Authorization: Basic dXNlcjpwYXNz",
        "password: hunter22!",
    ]
)
pieces = st.lists(surroundings | secrets_and_more, max_size=5).map("".join)
records: st.SearchStrategy[Json] = st.recursive(
    pieces | st.sampled_from([4111111111111111, 0.4111111111111111, 7, None]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["pass word", "to-ken", "text"]) | pieces, inner, max_size=3
        )
        # JSON in a text, its letters escaped or not.
        | st.builds(json.dumps, inner, ensure_ascii=st.booleans())
    ),
    max_leaves=5,
)


@given(
    record=records,
    ascii_only=st.booleans(),
    escaped=st.sampled_from(["", "p", "4", "/", "s", "-"]),
)
def test_a_glance_at_the_text_overlooks_nothing_that_a_walk_would_find(
    record: Json, ascii_only: bool, escaped: str
) -> None:
    text = json.dumps(record, ensure_ascii=ascii_only)
    if escaped:
        text = text.replace(escaped, rf"\u{ord(escaped):04x}")
    try:
        parsed = json.loads(text)
    except json.JSONDecodeError:  # an escape of an escape, or a number with one
        parsed, text = record, json.dumps(record)
    assert redact_record(text, parsed) == redact(parsed)


def test_escaped_slashes_hide_nothing() -> None:
    text = r'{"at": "postgres:\/\/user:hunter22@host\/db"}'
    assert "hunter22" not in text_in(redact_record(text, json.loads(text)))
