"""A model is asked over a real connection, and what comes is never taken at its word."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from model_server import Script, Server
from pydantic import BaseModel, ConfigDict

from toolguild.synth.models import (
    BadReplyError,
    Model,
    ModelDownError,
    ModelSettings,
    OverBudgetError,
    Prompt,
    RefusedError,
    Request,
    UnfitReplyError,
)
from toolguild.synth.models.cache import CacheError, ReplyCache

Ask = Callable[..., Model]


class Verdict(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: str
    score: int


PROMPT = Prompt.parse("judge", "version: 3\n\nJudge the data.")
GOOD = '{"name": "fine", "score": 7}'


def request(data: Any = None) -> Request[Verdict]:
    return Request(PROMPT, data if data is not None else {"text": "some data"}, Verdict)


@pytest.fixture(autouse=True)
def good(server: Server) -> None:
    server.script = [Script(GOOD)]


def test_a_reply_comes_with_what_it_took(server: Server, ask: Ask) -> None:
    reply = ask().ask(request())
    assert (reply.value.name, reply.value.score) == ("fine", 7)
    assert (reply.usage.requests, reply.usage.input_tokens, reply.usage.output_tokens) == (1, 30, 9)
    assert reply.request_ids == ("req-1",)
    assert (reply.model, reply.prompt) == ("some-model", PROMPT.digest)
    [sent] = server.requests
    assert server.paths == ["/v1/chat/completions"]
    assert server.headers[0]["authorization"] == "Bearer sk-of-a-test"
    assert sent["messages"][0] == {"role": "system", "content": "Judge the data."}
    assert sent["messages"][1]["content"].startswith("<data>\n")
    form = sent["response_format"]["json_schema"]
    assert form["strict"] is True
    assert form["schema"] == Verdict.model_json_schema()


def test_responses_are_an_option(server: Server, ask: Ask) -> None:
    reply = ask(api="responses").ask(request())
    assert (reply.value.score, reply.usage.tokens) == (7, 39)
    [sent] = server.requests
    assert server.paths == ["/v1/responses"]
    assert sent["text"]["format"]["schema"] == Verdict.model_json_schema()
    assert sent["store"] is False


@pytest.mark.parametrize("api", ["chat", "responses"])
def test_what_does_not_fit_is_told_to_the_model(server: Server, ask: Ask, api: str) -> None:
    server.script = [
        Script('{"name": "fine", "score": "many"}'),
        Script("Sure! Here you are."),
        Script(f"Here:\n```json\n{GOOD}\n```\nDone."),
    ]
    reply = ask(api=api).ask(request())
    assert reply.value.score == 7
    assert reply.usage.requests == 3
    assert reply.request_ids == ("req-1", "req-2", "req-3")
    told = server.requests[2]["messages" if api == "chat" else "input"]
    assert [one["role"] for one in told] == ["system", "user", *["assistant", "user"] * 2]
    assert "score: Input should be a valid integer" in told[3]["content"]
    assert "no JSON object" in told[5]["content"]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   ",
        "I would rather talk about the weather.",
        "[1, 2]",
        '{"name": "fine"}',
        '{"name": "fine", "score": 7, "more": 1}',
        '{"name": "fine", "score": 7.5}',
        '{"name": "fine", "score": 7',
        "```json\n{}\n```",
        '```json\n{"name": "a", "score": 1}\n```\n```json\n{"name": "b", "score": 2}\n```',
        '{"name": "fine", "score": NaN}',
        "[" * 100_000,
        '{"a":' * 50_000,
    ],
)
def test_a_model_that_never_fits_is_given_up(server: Server, ask: Ask, text: str) -> None:
    server.script = [Script(text)]
    with pytest.raises(BadReplyError, match="3 replies to prompt judge"):
        ask().ask(request())
    assert len(server.requests) == 3


def test_what_does_not_fit_the_data_is_told_as_well(server: Server, ask: Ask) -> None:
    def check(verdict: Verdict) -> None:
        if verdict.score > 7:
            message = "score: nothing scores above 7"
            raise UnfitReplyError(message)

    server.script = [Script('{"name": "fine", "score": 8}'), Script(GOOD)]
    reply = ask().ask(Request(PROMPT, {}, Verdict, check))
    assert reply.value.score == 7
    assert "nothing scores above 7" in server.requests[1]["messages"][3]["content"]


def test_a_reply_that_was_cut_off_is_not_taken(server: Server, ask: Ask) -> None:
    server.script = [Script(GOOD, finish="length"), Script(GOOD)]
    assert ask().ask(request()).usage.requests == 2
    assert "cut off" in server.requests[1]["messages"][3]["content"]


@pytest.mark.parametrize("api", ["chat", "responses"])
def test_who_declines_is_not_asked_again(server: Server, ask: Ask, api: str) -> None:
    server.script = [Script(refusal="I can't help with that.")]
    with pytest.raises(RefusedError, match="can't help"):
        ask(api=api).ask(request())
    assert len(server.requests) == 1


def test_a_server_without_schemas_is_asked_for_a_fenced_block(server: Server, ask: Ask) -> None:
    refusal = json.dumps({"error": {"message": "response_format is not supported"}}).encode()
    server.script = [Script(status=400, body=refusal), Script(f"```\n{GOOD}\n```")]
    model = ask()
    assert model.ask(request()).value.score == 7
    assert model.ask(request("more")).value.score == 7
    first, second, third = server.requests
    assert "response_format" in first
    assert "response_format" not in second
    assert "response_format" not in third
    assert '"score"' in second["messages"][0]["content"]


def test_what_fails_on_the_way_is_tried_anew(server: Server, ask: Ask) -> None:
    soon = {"retry-after-ms": "5"}
    server.script = [
        Script(status=429, body=b"{}", headers=soon),
        Script(status=500, body=b"oops", headers=soon),
        Script(GOOD),
    ]
    assert ask().ask(request()).value.score == 7
    assert len(server.requests) == 3


@pytest.mark.parametrize(
    ("status", "body", "sent"),
    [
        (401, b'{"error": {"message": "no such key: sk-of-a-test"}}', 1),
        (404, b"{}", 1),
        (429, b"{}", 3),
        (500, b"<html>", 3),
        (200, b"<html>", 1),
        (200, b"", 1),
        (200, b'{"choices": []}', 1),
        (200, b'{"choices": [{"message": 7}]}', 1),
        (200, b'{"choices": [{"message": {"content": "\\ud800"}}]}', 1),
        (400, b"{}", 2),
    ],
)
def test_a_model_that_is_down_is_not_asked_again(
    server: Server, ask: Ask, status: int, body: bytes, sent: int
) -> None:
    server.script = [Script(status=status, body=body, headers={"retry-after-ms": "5"})]
    model = ask()
    for _ in range(3):
        with pytest.raises(ModelDownError, match="model some-model at http") as raised:
            model.ask(request())
        assert "sk-of-a-test" not in str(raised.value)
    assert len(server.requests) == sent


def test_nobody_there() -> None:
    settings = ModelSettings(name="m", base_url="http://127.0.0.1:1/v1")
    with Model(settings) as model, pytest.raises(ModelDownError, match=r"127\.0\.0\.1:1"):
        model.ask(request())


@pytest.mark.parametrize("slow", [{"wait_s": 60.0}, {"drip_s": 0.05}])
def test_a_slow_reply_is_given_up_at_the_deadline(
    server: Server, ask: Ask, slow: dict[str, float]
) -> None:
    server.script = [Script(GOOD, **slow)]
    with pytest.raises(ModelDownError, match=r"no reply within 0\.4 s"):
        ask(reply_s=0.4).ask(request())


def test_an_endless_reply_is_given_up(server: Server, ask: Ask) -> None:
    server.script = [Script(text="x" * 11_000_000)]
    with pytest.raises(ModelDownError, match="longer than"):
        ask().ask(request())


def test_one_failure_among_replies_does_not_end_it(server: Server, ask: Ask) -> None:
    good, broken = Script(GOOD), Script(body=b"{}")
    server.script = [good, broken, broken, good, broken, broken, broken, good]
    model = ask()
    told = []
    for number in range(8):
        try:
            told.append(model.ask(request(number)).value.score)
        except ModelDownError:
            told.append(0)
    assert told == [7, 0, 0, 7, 0, 0, 0, 0]
    assert len(server.requests) == 7


def test_nothing_is_sent_that_might_cost_too_much(server: Server, ask: Ask) -> None:
    model = ask(most_tokens=400, most_output_tokens=100)
    with pytest.raises(OverBudgetError, match="400 tokens"):
        while True:
            model.ask(request())
    spent = model.budget.spent
    assert len(server.requests) == spent.requests > 1
    assert spent.tokens <= 400


def test_what_a_server_does_not_tell_counts_as_much_as_it_may_be(server: Server, ask: Ask) -> None:
    server.script = [Script(GOOD, usage=None)]
    model = ask(most_output_tokens=100)
    model.ask(request())
    assert model.budget.spent.output_tokens == 100


def test_what_is_paid_for_once_is_not_asked_again(server: Server, ask: Ask, tmp_path: Path) -> None:
    server.script = [Script("no"), Script(GOOD)]
    first = ReplyCache(tmp_path / "folder" / "replies.db")
    assert ask(cache=first).ask(request()).usage.requests == 2
    first.close()
    sent = len(server.requests)
    again = ReplyCache(tmp_path / "folder" / "replies.db")
    model = ask(cache=again)
    known = model.ask(request())
    assert (known.value.score, known.usage.tokens) == (7, 78)
    assert (len(server.requests), model.budget.spent.tokens) == (sent, 0)
    ask(cache=again, api="responses").ask(request())
    ask(cache=again, name="other").ask(request())
    ask(cache=again).ask(request("other data"))
    assert len(server.requests) == sent + 3
    again.close()


def test_a_file_that_is_no_cache_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("these are my notes " * 100)
    with pytest.raises(CacheError, match=r"notes\.txt"):
        ReplyCache(path)
    assert path.read_text().startswith("these are")


def test_no_more_requests_are_under_way_than_allowed(server: Server, ask: Ask) -> None:
    server.script = [Script(GOOD, wait_s=0.1)]
    under_way, most = [], []

    def note(body: object) -> None:
        under_way.append(body)
        most.append(len(under_way) - answered[0])

    answered = [0]
    model = ask(at_once=2, on_request=note)

    def one(number: int) -> None:
        model.ask(request(number))
        answered[0] += 1

    threads = [threading.Thread(target=one, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answered == [6]
    assert max(most) <= 3  # one may have been answered, and not yet counted


def test_what_is_under_way_ends_with_the_run(server: Server) -> None:
    server.script = [Script(GOOD, wait_s=60.0)]
    ended: list[BaseException] = []
    model = Model(ModelSettings(name="m", base_url=server.url))

    def one() -> None:
        try:
            model.ask(request())
        except ModelDownError as error:
            ended.append(error)

    with model:
        thread = threading.Thread(target=one)
        thread.start()
        while not server.requests:
            time.sleep(0.01)
    thread.join(10)
    assert not thread.is_alive()
    assert "given up" in str(ended[0])


def test_secrets_are_not_sent(server: Server, ask: Ask) -> None:
    key = "sk-proj-" + "a1B2c3D4" * 6
    ask().ask(request({"said": f"my key is {key}", "password": "hunter2-hunter2"}))
    sent = json.dumps(server.requests)
    assert key not in sent
    assert "hunter2" not in sent
    assert "redacted" in sent
