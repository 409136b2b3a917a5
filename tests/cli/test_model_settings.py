"""Which model is asked, by flags, the environment or `toolguild.toml`; and its key is a secret."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from code_runs import messy
from model_server import Script, Server

KEY = "sk-of-this-test-and-of-no-other"


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    path = tmp_path / "runs.jsonl"
    path.write_text("\n".join(json.dumps(messy(number)) for number in range(8)))
    return path


@pytest.fixture
def servers() -> Iterator[list[Server]]:
    """Start servers of which each tells the key that it was given."""
    servers = [Server() for _ in range(3)]
    for server in servers:
        said = json.dumps({"error": {"message": f"no such key: {KEY}"}}).encode()
        server.script = [Script(status=401, body=said)]
    yield servers
    for server in servers:
        server.close()


def asked(server: Server) -> list[tuple[str, str]]:
    """Return the models and keys that a server was asked with."""
    models = [one["model"] for one in server.requests]
    return [*zip(models, (one["authorization"] for one in server.headers), strict=True)]


def test_flags_win_over_the_environment_and_that_over_the_file(
    toolguild: Any,
    logs: Path,
    servers: list[Server],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    of_file, of_environment, of_flags = servers
    (tmp_path / "toolguild.toml").write_text(
        f'model = "of-file"\nmodel_url = "{of_file.url}"\nmodel_key = "key-of-file"\n'
    )
    toolguild("synthesize", logs)
    assert asked(of_file) == [("of-file", "Bearer key-of-file")]

    monkeypatch.setenv("TOOLGUILD_MODEL", "of-environment")
    monkeypatch.setenv("OPENAI_BASE_URL", of_environment.url)
    monkeypatch.setenv("OPENAI_API_KEY", "key-of-environment")
    toolguild("synthesize", logs)
    assert asked(of_environment) == [("of-environment", "Bearer key-of-environment")]

    flags = ("--model", "of-flags", "--model-url", of_flags.url, "--model-key", "key-of-flags")
    toolguild("synthesize", logs, *flags)
    assert asked(of_flags) == [("of-flags", "Bearer key-of-flags")]
    assert [len(server.requests) for server in servers] == [1, 1, 1]


@pytest.mark.parametrize("where", ["file", "environment"])
def test_the_key_is_told_to_the_endpoint_alone(
    toolguild: Any,
    logs: Path,
    servers: list[Server],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    where: str,
) -> None:
    server = servers[0]
    written = json.dumps({"source": "def order_number(label: str) -> int:\n    return 7\n"})
    server.script.insert(0, Script(written))
    settings = f'model = "some-model"\nmodel_url = "{server.url}"\n'
    if where == "file":
        settings += f'model_key = "{KEY}"\n'
    else:
        monkeypatch.setenv("OPENAI_API_KEY", KEY)
    (tmp_path / "toolguild.toml").write_text(settings)
    shown = [
        toolguild("synthesize", logs, "--dry-run"),
        toolguild("synthesize", logs, "--json"),
        toolguild("synthesize", logs),
        toolguild("synthesize", "--help"),
        toolguild("synthesize", logs, "--model-api", "nonsense"),
        toolguild("tools", "list", "--json"),
        toolguild("doctor"),
    ]
    assert server.requests
    assert all(key == f"Bearer {KEY}" for _, key in asked(server))
    assert any("[key]" in ran.err for ran in shown)
    assert not [ran for ran in shown if KEY in ran.out + ran.err]
    kept = [path for path in (tmp_path / ".toolguild").rglob("*") if path.is_file()]
    assert {"registry.db", "replies.db"} <= {path.name for path in kept}
    assert not [path for path in kept if KEY.encode() in path.read_bytes()]


@pytest.mark.parametrize(
    "url", ["localhost:8000/v1", "ftp://host/v1", "http:///v1", "http://[::1/v1", "http://h:x/v1"]
)
def test_an_address_that_is_none_is_wrong_usage(toolguild: Any, logs: Path, url: str) -> None:
    ran = toolguild("synthesize", logs, "--model", "m", "--model-url", url)
    assert ran.code == 2
    assert "--model-url" in ran.err
