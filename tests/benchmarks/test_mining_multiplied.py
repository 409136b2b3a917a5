"""Large logs that are made of small ones."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

multiplied = pytest.importorskip(
    "benchmarks.mining.multiplied", reason="run in the repository only"
)


def run(number: int) -> dict[str, Any]:
    user = f"user_{number}77"
    calls = [("get_user", {"id": user}, {"orders": [f"AB{number}12"]})]
    calls += [("get_order", {"order": f"AB{number}12"}, {"total": 100 + number})] * 3
    messages: list[dict[str, Any]] = [{"role": "user", "content": f"I am {user}.\n77 caf\xe9"}]
    for name, arguments, result in calls:
        call = {"function": {"name": name, "arguments": json.dumps(arguments)}}
        messages.append({"role": "assistant", "tool_calls": [call]})
        messages.append({"role": "tool", "content": json.dumps(result)})
    return {"id": number, "traj": messages}


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "runs.json"
    path.write_text(json.dumps([run(number) for number in range(3)]))
    return path


def calls_of(record: dict[str, Any]) -> int:
    return sum(len(message.get("tool_calls", ())) for message in record["traj"])


def test_as_many_calls_are_made_as_asked_for_by_runs_of_tasks_of_their_own(source: Path) -> None:
    records = [json.loads(line) for line in multiplied.multiply([source], 1000)]
    assert 1000 <= sum(map(calls_of, records)) < 1010
    assert len({record["task_id"] for record in records}) == len(records)
    assert len({calls_of(record) for record in records}) > 2


def test_the_same_word_is_renamed_alike_within_a_run(source: Path) -> None:
    whole = [
        record
        for record in map(json.loads, multiplied.multiply([source], 500))
        if calls_of(record) == 4
    ]
    names = set()
    for record in whole[:20]:
        said, asked, told, then, *_ = record["traj"]
        user = json.loads(asked["tool_calls"][0]["function"]["arguments"]).get("id")
        if user is None:  # the calls were swapped
            continue
        names.add(user)
        assert f"I am {user}.\n77 caf\xe9" == said["content"]
        [order] = json.loads(told["content"])["orders"]
        assert json.loads(then["tool_calls"][0]["function"]["arguments"]).get("order") == order
    assert len(names) > 5


def test_a_seed_gives_the_same_runs_and_another_gives_others(source: Path, tmp_path: Path) -> None:
    first, again, other = (list(multiplied.multiply([source], 50, seed)) for seed in (1, 1, 2))
    assert first == again != other
    paths = multiplied.write_logs([source], tmp_path, 50, files=3, seed=1)
    written = "".join(path.read_text("utf-8") for path in paths)
    assert sorted(written.splitlines(keepends=True)) == sorted(first)
