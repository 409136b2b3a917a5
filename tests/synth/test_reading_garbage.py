"""Reading makes no reference cycles, so it does without the search for them."""

from __future__ import annotations

import gc
import json
from pathlib import Path

import pytest

from toolguild.synth.gathering import gather
from toolguild.synth.mining import MiningSettings
from toolguild.synth.traces import ReadOptions, TraceFileError


def cycles_after_reading(log: Path) -> int:
    """Count the objects that only the search for cycles frees after a log was read."""
    gc.collect()
    gc.disable()
    try:
        gather([log], read=ReadOptions(), settings=MiningSettings())
        return gc.collect()
    finally:
        gc.enable()


def test_nothing_piles_up_with_the_length_of_a_log(tmp_path: Path) -> None:
    user = {"role": "user", "content": "task"}
    call = {"id": "c", "function": {"name": "f", "arguments": "{}"}}
    answer = {"role": "assistant", "tool_calls": [call]}
    sound = json.dumps({"id": "run", "messages": [user, answer]})
    broken = ["{broken", '{"messages": 3}', '{"id": {"a": NaN}, "messages": [7]}', sound[:-20]]
    short, long = tmp_path / "short.jsonl", tmp_path / "long.jsonl"
    short.write_text("\n".join([*[sound] * 20, *broken * 10]))
    long.write_text("\n".join([*[sound] * 800, *broken * 400]))
    cycles_after_reading(short)  # what is made once, on the first use
    assert cycles_after_reading(long) <= cycles_after_reading(short) + 20


@pytest.mark.traces
def test_real_logs_leave_nothing(real_traces: Path) -> None:
    for log in sorted(real_traces.rglob("*.json*")):
        if log.stat().st_size < 3_000_000 and is_a_log(log):
            cycles_after_reading(log)
            assert cycles_after_reading(log) <= 30, log


def is_a_log(path: Path) -> bool:
    try:
        gather([path], read=ReadOptions(), settings=MiningSettings())
    except TraceFileError:
        return False
    return True
