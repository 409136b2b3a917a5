"""One miner on one folder of logs, in a process of its own: `python -m ... MINER FOLDER`.

Prints how long it took, as JSON. A peer is ended by an alarm after a minute of mining.
"""

from __future__ import annotations

import json
import signal
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from importlib import import_module
from multiprocessing import get_context
from pathlib import Path
from time import perf_counter

from toolguild.sandbox import Json
from toolguild.synth.mining import (
    MiningSettings,
    Sample,
    SequenceMiner,
    canonical,
    nothing_collected,
)
from toolguild.synth.synthesis import mine
from toolguild.synth.traces import Trace, read_traces

__all__ = ["MINUTE_S"]

MINUTE_S = 60
_SUPPORT = MiningSettings().sequence_support
_ABSTRACTIONS = 10
_MAX_ARITY = 3
_LONGEST_WORD = 60


def main() -> None:
    """Run the miner that is named."""
    miner, folder = sys.argv[1], Path(sys.argv[2])
    print(json.dumps(_MINERS[miner](folder)))


def _from_files(folder: Path) -> dict[str, float]:
    """Mine with toolguild, from log files to opportunities."""
    stages: dict[str, float] = {}
    start = perf_counter()
    with ProcessPoolExecutor(mp_context=get_context("forkserver")) as executor:
        found = mine(
            [folder],
            executor=executor,
            on_progress=lambda stage, _: stages.update({stage: perf_counter() - start}),
        )
    return {
        "seconds": perf_counter() - start,
        "reading": stages["reading"],
        "steps": found.tool_calls,
        "traces": found.traces,
        "mined": found.traces if found.sampled is None else found.sampled,
        "found": len(found.opportunities),
    }


def _mining_alone(folder: Path) -> dict[str, float]:
    """Mine with toolguild, not counting the time that reading and parsing the logs takes."""
    settings = MiningSettings()
    sample, miner = Sample(settings), SequenceMiner(settings)
    seconds = 0.0
    with nothing_collected():  # as `mine` does it
        for trace in _traces(folder):
            start = perf_counter()
            sample.add(trace)
            seconds += perf_counter() - start
        start = perf_counter()
        for run in sample:
            miner.add(run.trace, run.weight)
        found = miner.mine()
    return {"seconds": seconds + perf_counter() - start, "found": len(found)}


def _prefix_span(folder: Path) -> dict[str, float]:
    """Mine names of tools: sequences of two or more that as many runs hold as ours ask for."""
    miner = import_module("prefixspan").PrefixSpan(
        [[call.tool for call in trace.calls()] for trace in _traces(folder)]
    )
    miner.minlen = 2
    return _timed(lambda: miner.frequent(_SUPPORT))


def _stitch(folder: Path) -> dict[str, float]:
    """Compress runs that are written as terms."""
    compress = import_module("stitch_core").compress
    programs = [_term(trace) for trace in _traces(folder) if trace.steps]
    return _timed(
        lambda: (
            compress(
                programs, iterations=_ABSTRACTIONS, max_arity=_MAX_ARITY, threads=2, silent=True
            ).abstractions
        )
    )


def _timed(miner: Callable[[], list[object]]) -> dict[str, float]:
    signal.alarm(MINUTE_S)
    start = perf_counter()
    found = miner()
    return {"seconds": perf_counter() - start, "found": len(found)}


def _traces(folder: Path) -> Iterator[Trace]:
    return read_traces([folder], on_problem=lambda problem: None)


def _term(trace: Trace) -> str:
    """Return a run as an s-expression: its calls, each with the values of its arguments."""
    calls = (
        " ".join([call.tool, *(_word(call.arguments[name]) for name in sorted(call.arguments))])
        for call in trace.calls()
    )
    return f"(run {' '.join(f'({call})' if ' ' in call else call for call in calls)})"


def _word(value: Json) -> str:
    text = value if isinstance(value, str) else canonical(value)
    return "v_" + "".join(c if c.isalnum() else "_" for c in text[:_LONGEST_WORD])


_MINERS: dict[str, Callable[[Path], dict[str, float]]] = {
    "from files": _from_files,
    "mining alone": _mining_alone,
    "prefixspan": _prefix_span,
    "stitch": _stitch,
}

if __name__ == "__main__":
    main()
