"""The logs of the demo: valid in their formats, and nothing lost between run and file."""

from __future__ import annotations

import json
from pathlib import Path

import atif
import pytest
from openai.types.chat import ChatCompletionMessageParam
from pydantic import TypeAdapter

from toolguild.cli.demo.agent import ScriptedAgent
from toolguild.cli.demo.desk import Desk
from toolguild.cli.demo.logs import write_atif_log, write_chat_log
from toolguild.cli.demo.runs import Run
from toolguild.cli.demo.seed import create_desk
from toolguild.cli.demo.tools import DESK_TOOLS

TOOLS = list(DESK_TOOLS.values())


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> list[Run]:
    path = tmp_path_factory.mktemp("desk") / "desk.db"
    create_desk(path)
    with Desk(path) as desk:
        return ScriptedAgent(desk).work(desk.open_tickets())


def read_content(content: str, error: str | None):
    return content if error else json.loads(content)


def expected(run: Run) -> list[tuple[object, ...]]:
    return [
        (call.tool, call.arguments, f"Error: {call.error}" if call.error else call.result)
        for call in run.calls
    ]


def test_chat_lines_hold_every_call_with_its_result(tmp_path: Path, runs: list[Run]) -> None:
    path = tmp_path / "chat.jsonl"
    write_chat_log(path, runs, TOOLS)
    lines = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    assert [line["id"] for line in lines] == [run.id for run in runs]
    for line, run in zip(lines, runs, strict=True):
        messages = line["messages"]
        assert [m["content"] for m in messages if m["role"] == "user"] == [run.task]
        made = [c for m in messages if m["role"] == "assistant" for c in m.get("tool_calls", [])]
        results = {m["tool_call_id"]: m["content"] for m in messages if m["role"] == "tool"}
        assert [call["id"] for call in made] == list(results)
        found = [
            (
                call["function"]["name"],
                json.loads(call["function"]["arguments"]),
                read_content(results[call["id"]], recorded.error),
            )
            for call, recorded in zip(made, run.calls, strict=True)
        ]
        assert found == expected(run)


def test_chat_messages_are_those_of_the_openai_client(tmp_path: Path, runs: list[Run]) -> None:
    path = tmp_path / "chat.jsonl"
    write_chat_log(path, runs, TOOLS)
    message = TypeAdapter(ChatCompletionMessageParam)
    for line in path.read_text("utf-8").splitlines():
        for item in json.loads(line)["messages"]:
            message.validate_python(item)


def test_chat_results_follow_the_turn_that_asked_for_them(tmp_path: Path, runs: list[Run]) -> None:
    path = tmp_path / "chat.jsonl"
    write_chat_log(path, runs, TOOLS)
    side_by_side = 0
    for line in path.read_text("utf-8").splitlines():
        asked: list[str] = []
        for message in json.loads(line)["messages"]:
            if message["role"] == "tool":
                assert message["tool_call_id"] == asked.pop(0)
            else:
                assert not asked
                asked = [call["id"] for call in message.get("tool_calls", [])]
                side_by_side += len(asked) > 1
    assert side_by_side > 10


def test_atif_trajectories_are_valid_and_hold_every_call(tmp_path: Path, runs: list[Run]) -> None:
    paths = write_atif_log(tmp_path / "atif", runs, TOOLS)
    assert len(set(paths)) == len(runs)
    for path, run in zip(paths, runs, strict=True):
        trajectory = atif.Trajectory.model_validate_json(path.read_text("utf-8"))
        assert trajectory.schema_version == "ATIF-v1.7"
        assert trajectory.trajectory_id == run.id
        assert [s.message for s in trajectory.steps if s.source == "user"] == [run.task]
        found, errors = [], []
        for step in trajectory.steps:
            results = step.observation.results if step.observation else []
            for call, result in zip(step.tool_calls or [], results, strict=True):
                assert call.tool_call_id == result.source_call_id
                error = (result.extra or {}).get("error")
                errors.append(error)
                assert isinstance(result.content, str)
                value = read_content(result.content, error)
                found.append((call.function_name, call.arguments, value))
        assert found == expected(run)
        assert errors == [call.error for call in run.calls]


def test_both_logs_offer_the_tools_with_their_schemas(tmp_path: Path, runs: list[Run]) -> None:
    write_chat_log(tmp_path / "chat.jsonl", runs[:1], TOOLS)
    [path] = write_atif_log(tmp_path / "atif", runs[:1], TOOLS)
    chat = json.loads((tmp_path / "chat.jsonl").read_text("utf-8"))
    trajectory = json.loads(path.read_text("utf-8"))
    assert chat["tools"] == trajectory["agent"]["tool_definitions"]
    assert [tool["function"]["name"] for tool in chat["tools"]] == list(DESK_TOOLS)
    assert chat["tools"][0]["function"]["parameters"]["required"] == ["ticket_id"]


def test_the_same_runs_give_the_same_bytes(tmp_path: Path) -> None:
    written = []
    for folder in (tmp_path / "one", tmp_path / "two"):
        folder.mkdir()
        create_desk(folder / "desk.db", seed=5)
        with Desk(folder / "desk.db") as desk:
            runs = ScriptedAgent(desk).work(desk.open_tickets()[:10])
        write_chat_log(folder / "chat.jsonl", runs, TOOLS)
        paths = write_atif_log(folder / "atif", runs, TOOLS)
        written.append([(folder / "chat.jsonl").read_bytes(), *(p.read_bytes() for p in paths)])
    assert written[0] == written[1]


def test_times_never_run_back(runs: list[Run]) -> None:
    times = [time for run in runs for time in (run.started_at, *(c.started_at for c in run.calls))]
    assert times == sorted(times)
    assert len(set(times)) == len(times)
