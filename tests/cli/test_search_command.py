"""`toolguild tools search` and `tools index`."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from model_server import Script, Server

from toolguild.policies import Tier
from toolguild.registry import CallStatus, Registry, State, ToolSpec, Use

KEY = "sk-of-this-test-and-of-no-other"
PARAMETERS = {"type": "object", "properties": {"number": {"type": "integer"}}}
TOOLS = {
    "convert_currency": "Convert an amount between two currencies.",
    "cancel_flight": "Cancel a flight.",
    "cancel_hotel": "Cancel a hotel.",
}


@pytest.fixture
def registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "tools.db"
    monkeypatch.setenv("TOOLGUILD_REGISTRY", str(path))
    with Registry.open(path) as opened:
        for name, description in TOOLS.items():
            source = f"def {name}(number: int) -> int:\n    return number\n"
            opened.register(ToolSpec(name, description, source, PARAMETERS, {"type": "integer"}))
        digest = opened.tool("cancel_hotel").digest
        for status in (CallStatus.OK, CallStatus.OK, CallStatus.ERROR):
            opened.record(Use(digest, "sha256:0", status, 0.25, opened.now()))
        opened.set_tier("cancel_flight", Tier.RESTRICTED, why="earned")
    return path


@pytest.fixture
def embeddings(monkeypatch: pytest.MonkeyPatch, server: Server) -> Server:
    """Start a server to which every text with money or a currency in it means the same."""

    def answer(request: dict[str, Any]) -> Script:
        vectors = [
            [1.0, 0.1] if "currency" in text or "money" in text else [0.1, 1.0]
            for text in request["input"]
        ]
        data = [{"index": place, "embedding": vector} for place, vector in enumerate(vectors)]
        return Script(body=json.dumps({"object": "list", "data": data}).encode())

    server.answer = answer
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.setenv("TOOLGUILD_EMBEDDING_MODEL", "small")
    return server


def names(ran: Any) -> list[str]:
    assert ran.code == 0
    return [row["name"] for row in ran.json["tools"]]


def test_tools_are_found_with_the_reasons_for_their_places(toolguild: Any, registry: Path) -> None:
    ran = toolguild("tools", "search", "cancel", "hotel")
    assert (ran.code, ran.err) == (0, "")
    head, first, second = ran.out.splitlines()
    assert head.split() == [
        "tool",
        "tier",
        "score",
        "fits",
        "worked",
        "takes",
        "what",
        "it",
        "does",
    ]
    assert first.split()[:2] == ["cancel_hotel@1", "sandbox"]
    assert first.split()[4:7] == ["2/3", "0.25", "s"]
    assert second.split()[:2] == ["cancel_flight@1", "restricted"]
    [row, _] = toolguild("tools", "search", "cancel hotel", "--json").json["tools"]
    assert (row["successes"], row["runs"], row["median_s"]) == (2, 3, 0.25)
    assert row["words"] == ["hotel", "cancel"]
    assert row["score"] == pytest.approx(
        row["relevance"] * row["record"] ** 0.5 * row["speed"] ** 0.1
    )


def test_options_narrow_what_is_found(toolguild: Any, registry: Path) -> None:
    with Registry.open(registry) as opened:
        opened.set_state("cancel_hotel", State.QUARANTINED, why="wrong hotel")

    def found(*options: str) -> list[str]:
        return names(toolguild("tools", "search", "cancel", *options, "--json"))

    assert found() == ["cancel_flight"]
    assert found("--state", "quarantined") == ["cancel_hotel"]
    assert found("--state", "any", "-k", "1") == ["cancel_flight"]
    assert found("--state", "any", "--tier", "sandbox") == ["cancel_hotel"]


def test_nothing_found_says_what_to_do(toolguild: Any, registry: Path) -> None:
    ran = toolguild("tools", "search", '"zebra* OR (')
    assert (ran.code, ran.out) == (0, "")
    assert "toolguild tools list" in ran.err
    assert toolguild("tools", "search", "zebra", "--json").json == {"tools": []}


@pytest.mark.parametrize("options", [[], ["x", "-k", "0"], ["x", "--state", "rejected"]])
def test_wrong_usage_is_exit_code_2(toolguild: Any, registry: Path, options: list[str]) -> None:
    assert toolguild("tools", "search", *options).code == 2


def test_with_a_model_tools_are_found_by_meaning(
    toolguild: Any, registry: Path, embeddings: Server
) -> None:
    assert names(toolguild("tools", "search", "money", "--json"))[:1] == []
    ran = toolguild("tools", "index")
    assert ran.code == 0
    assert "3 tools can be found by their words" in ran.err
    assert "3 new vectors of small" in ran.err
    assert names(toolguild("tools", "search", "money", "--json"))[0] == "convert_currency"
    assert "0 new vectors" in toolguild("tools", "index").err


def test_an_endpoint_that_is_down_costs_only_a_warning(
    toolguild: Any, registry: Path, embeddings: Server
) -> None:
    assert toolguild("tools", "index").code == 0
    said = json.dumps({"error": {"message": f"no such key: {KEY}"}}).encode()
    embeddings.answer = lambda request: Script(status=401, body=said)
    ran = toolguild("tools", "search", "cancel hotel", "--json")
    assert names(ran)[0] == "cancel_hotel"
    assert "Warning: searching by text alone" in ran.err
    assert KEY not in ran.err + ran.out


def test_vectors_that_cannot_be_made_are_exit_code_3(
    toolguild: Any, registry: Path, embeddings: Server
) -> None:
    said = json.dumps({"error": {"message": f"no such key: {KEY}"}}).encode()
    embeddings.answer = lambda request: Script(status=401, body=said)
    ran = toolguild("tools", "index")
    assert ran.code == 3
    assert "run again to go on" in ran.err
    assert KEY not in ran.err


def test_the_settings_file_names_the_model(
    toolguild: Any, registry: Path, server: Server, tmp_path: Path
) -> None:
    (tmp_path / "toolguild.toml").write_text('embedding_model = "of-file"\n')
    server.answer = lambda request: Script(status=401)
    toolguild("tools", "search", "money")
    assert [request["model"] for request in server.requests] == ["of-file"]


def test_a_model_in_a_folder_is_asked_without_an_endpoint(
    toolguild: Any, registry: Path, server: Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("TOOLGUILD_EMBEDDING_MODEL", f"local:{tmp_path / 'missing'}")
    ran = toolguild("tools", "search", "cancel hotel", "--json")
    assert names(ran)[0] == "cancel_hotel"
    assert "Warning: searching by text alone: embeddings of local:" in ran.err
    ran = toolguild("tools", "index")
    assert ran.code == 3
    assert "name a folder that holds" in ran.err
    assert server.requests == []


def test_a_damaged_index_is_made_anew(toolguild: Any, registry: Path) -> None:
    connection = sqlite3.connect(registry)
    connection.execute("DELETE FROM search_text_data WHERE id > 10")
    connection.commit()
    connection.close()
    ran = toolguild("tools", "search", "hotel")
    assert ran.code == 3
    assert "Traceback" not in ran.err
    assert toolguild("tools", "index").code == 0
    assert names(toolguild("tools", "search", "hotel", "--json")) == ["cancel_hotel"]
