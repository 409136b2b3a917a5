"""A model that lives is waited for, one that is down is not, and what tells them apart."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from typing import Any

import pytest
from model_server import Script, Server
from pydantic import BaseModel

from toolguild.synth.models import Model, ModelDownError, ModelSettings, Prompt, Request
from toolguild.synth.models.endpoint import OpenAIEndpoint

servers = pytest.importorskip("benchmarks.models_down.servers", reason="run in the repository only")
Ask = Callable[..., Model]
MOST_SECONDS = 5.0
assert OpenAIEndpoint  # Loaded before any of these seconds count.


class Verdict(BaseModel):
    score: int


REQUEST = Request(Prompt.parse("judge", "version: 1\n\nJudge the data."), "data", Verdict)
GOOD = Script('{"score": 7}')


@pytest.mark.parametrize("way", servers.WAYS)
def test_a_model_that_is_down_is_not_waited_for(way: str) -> None:
    with (
        servers.WAYS[way]() as url,
        Model(ModelSettings(name="some-model", base_url=url)) as model,
    ):
        started = time.monotonic()
        for _ in range(2):
            with pytest.raises(ModelDownError, match="some-model"):
                model.ask(REQUEST)
        assert time.monotonic() - started < MOST_SECONDS


def test_a_resolver_that_does_not_answer_is_not_waited_for(
    monkeypatch: pytest.MonkeyPatch, server: Server
) -> None:
    resolve = socket.getaddrinfo

    def silent(host: str, *args: Any, **kwargs: Any) -> Any:
        if host in ("some-host.example", b"some-host.example"):
            server.stopped.wait(30)
        return resolve(host, *args, **kwargs)

    monkeypatch.setattr(socket, "getaddrinfo", silent)
    started = time.monotonic()
    settings = ModelSettings(name="m", base_url="http://some-host.example/v1")
    with Model(settings) as model, pytest.raises(ModelDownError, match=r"some-host\.example"):
        model.ask(REQUEST)
    assert time.monotonic() - started < MOST_SECONDS


@pytest.mark.parametrize("host", ["no such host", "a..b", "x" * 300, "[::1]:1", "*"])
def test_a_host_that_is_none_is_told(host: str) -> None:
    settings = ModelSettings(name="some-model", base_url=f"http://{host}/v1")
    with Model(settings) as model, pytest.raises(ModelDownError, match="some-model"):
        model.ask(REQUEST)


def test_of_a_proxy_the_name_is_looked_up(
    monkeypatch: pytest.MonkeyPatch, server: Server, ask: Ask
) -> None:
    proxy = server.url.removesuffix("/v1")
    monkeypatch.setenv("http_proxy", proxy)
    monkeypatch.setenv("no_proxy", "")
    server.script = [GOOD]
    model = ask(base_url="http://known-to-the-proxy.example/v1")
    assert model.ask(REQUEST).value.score == 7
    assert server.probes == ["http://known-to-the-proxy.example/v1/models"]


def test_a_model_that_lives_is_waited_for(server: Server, ask: Ask) -> None:
    server.script = [Script(GOOD.text, wait_s=1.0)]
    assert ask(probe_s=0.5, grace_s=0.5).ask(REQUEST).value.score == 7


@pytest.mark.parametrize("status", [401, 403, 404, 405])
def test_a_server_that_has_no_list_of_models_lives(server: Server, ask: Ask, status: int) -> None:
    server.models = Script(status=status, body=b"{}")
    server.script = [Script(GOOD.text, wait_s=1.0)]
    assert ask(probe_s=0.5, grace_s=0.5).ask(REQUEST).value.score == 7


def test_of_a_long_list_of_models_the_beginning_will_do(server: Server, ask: Ask) -> None:
    server.models = Script(body=b" " * 5000 + b"[]", drip_s=0.0001)
    server.script = [GOOD]
    assert ask(probe_s=5.0).ask(REQUEST).value.score == 7


@pytest.mark.parametrize("status", [429, 500, 501, 503])
def test_a_server_in_trouble_has_to_reply_soon(server: Server, ask: Ask, status: int) -> None:
    server.models = Script(status=status, body=b"{}")
    server.script = [GOOD, Script(GOOD.text, wait_s=1.0)]
    model = ask(grace_s=0.5)
    assert model.ask(REQUEST).value.score == 7
    # It has shown that it can reply, and may take its time from now on.
    assert model.ask(REQUEST).value.score == 7
    server.script = [Script(GOOD.text, wait_s=60.0)]
    with pytest.raises(ModelDownError, match="GET /models"):
        ask(grace_s=0.5).ask(REQUEST)


def test_signs_of_life_are_looked_for_again_after_a_failure(server: Server, ask: Ask) -> None:
    broken = Script(body=b"{}")
    server.script = [GOOD, GOOD, broken, GOOD, broken]
    model = ask(probe_s=0.5)
    for fails in (False, False, True, False, True):
        if fails:
            with pytest.raises(ModelDownError, match="no reply"):
                model.ask(REQUEST)
        else:
            model.ask(REQUEST)
    assert server.probes == ["/v1/models"] * 2
    server.models = Script(wait_s=60.0)
    for _ in range(2):
        with pytest.raises(ModelDownError, match=r"GET /models was not answered within 0\.5 s"):
            model.ask(REQUEST)
    assert (len(server.requests), len(server.probes)) == (5, 3)


def test_a_password_in_the_address_is_not_told(server: Server, ask: Ask) -> None:
    server.script = [Script(status=401, body=b"{}")]
    url = server.url.replace("//", "//somebody:hunter2@")
    with pytest.raises(ModelDownError, match=r"at http://127") as raised:
        ask(base_url=url).ask(REQUEST)
    assert "hunter2" not in str(raised.value)


def test_where_nothing_is_asked_nobody_is_bothered(server: Server, ask: Ask) -> None:
    ask()
    assert server.probes == []


@pytest.mark.parametrize(
    "pause", [{"retry-after": "60"}, {"retry-after-ms": "60000"}, {"retry-after": "never"}]
)
def test_a_long_pause_is_not_waited_for(server: Server, ask: Ask, pause: dict[str, str]) -> None:
    limited = Script(status=429, body=b"{}", headers=pause)
    server.script = [GOOD, limited, GOOD]
    model = ask()
    model.ask(REQUEST)
    with pytest.raises(ModelDownError, match="429"):
        model.ask(REQUEST)
    assert model.ask(REQUEST).value.score == 7


def test_a_pause_is_waited_for_where_the_model_replied_before(server: Server, ask: Ask) -> None:
    limited = Script(status=429, body=b"{}", headers={"retry-after-ms": "1100"})
    server.script = [limited]
    with pytest.raises(ModelDownError, match="429"):
        ask().ask(REQUEST)
    assert len(server.requests) == 1
    server.script = [limited, GOOD, limited, GOOD]
    model = ask()
    model.ask(REQUEST)
    assert model.ask(REQUEST).value.score == 7
    assert len(server.requests) == 4
