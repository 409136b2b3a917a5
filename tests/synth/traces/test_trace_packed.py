"""Traces as bytes, and back."""

from __future__ import annotations

import zlib
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolguild.sandbox import Json
from toolguild.synth.traces.errors import PackedTraceError
from toolguild.synth.traces.model import (
    CodeExecution,
    Outcome,
    Place,
    Step,
    Task,
    ToolCall,
    ToolDefinition,
    Trace,
)
from toolguild.synth.traces.packed import pack, unpack

TOOLS = {name: ToolDefinition(name, f"What {name} does.", {}) for name in "fgh"}
texts = st.text(max_size=20)
values: st.SearchStrategy[Json] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)
places = st.builds(Place, st.sampled_from(["a.jsonl", "b.jsonl"]), st.integers(1), st.integers(0))
errors = times = st.none() | texts
arguments = st.dictionaries(texts, values)
steps: st.SearchStrategy[Step] = st.one_of(
    st.builds(
        ToolCall,
        texts,
        st.dictionaries(texts, values),
        values,
        errors,
        places,
        texts,
        texts,
        errors,
    ),
    st.builds(CodeExecution, texts, texts, errors, places, texts, texts, times),
)
traces = st.builds(
    Trace,
    texts,
    st.builds(Task, texts, texts),
    st.lists(steps, max_size=4).map(tuple),
    st.builds(Outcome, st.none() | st.floats(allow_nan=False), st.none() | st.booleans()),
    places,
)


@given(trace=traces, offered=st.lists(st.sampled_from("fgh"), unique=True))
def test_a_trace_comes_back_as_it_was(trace: Trace, offered: list[str]) -> None:
    trace = replace(trace, tools=tuple(TOOLS[name] for name in offered))
    assert unpack(pack(trace), TOOLS) == trace


@pytest.mark.parametrize("packed", [b"", b"no trace", zlib.compress(b"[1, 2]")])
def test_other_bytes_are_refused(packed: bytes) -> None:
    with pytest.raises(PackedTraceError, match="damaged"):
        unpack(packed, TOOLS)
