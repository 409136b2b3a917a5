"""How fast and how well tools are found among 100,000: `python -m benchmarks.registry.retrieval`.

Times are those of `Registry.search` in a process of its own, from a text to eight tools with their
versions decoded and checked, one question after another; the database's pages are in the system's
memory, as they were just written. No question is left out; the first is told apart. Beside the
time by the clock stands that of the searching process on a processor, which others that use the
machine stretch less; a server's own work is not in it.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any

from sqlalchemy import insert

from benchmarks.registry.answers import BY_MEANING, K, compared, labelled
from benchmarks.registry.catalogue import Question, questions_about, tools
from benchmarks.registry.labelled import real_tools
from benchmarks.registry.report import Part
from benchmarks.sandbox.machine import about, warn_if_busy
from benchmarks.sandbox.report import Bound
from benchmarks.sandbox.tables import about_table, table
from toolguild.policies import Tier
from toolguild.registry import CallStatus, Registry, State, ToolSpec, ToolVersion, Use, rows, schema
from toolguild.registry.retrieval import LocalEmbedder
from toolguild.registry.retrieval.indexing import rebuild

__all__ = ["measure_retrieval"]

_MOST_P99_MS = 15.0
_WHAT = f"retrieval of the best {K}, p99"
_BATCH = 1000
_COMPARED = 100
"""Questions whose answers are compared with those of reading all tools."""
_AT = datetime(2026, 11, 1, tzinfo=UTC)


def measure_retrieval(
    places: Mapping[str, Callable[[], str]],
    *,
    size: int = 100_000,
    questions: int = 1000,
    model: Path | None = None,
) -> Part:
    """Fill a registry in each place, and search it.

    Args:
        places: By the name of a database, what gives a path or URL where there is no registry yet.
        size: Tools.
        questions: Questions.
        model: Folder of a static model, by which tools are found as well as by words.
    """
    real = real_tools()
    taken = {spec.name for spec in real}
    specs = [spec for spec in tools(size) if spec.name not in taken]
    asked = questions_about(specs, questions)
    data = {
        name: _measure(place, [*specs, *real], real, asked, model) for name, place in places.items()
    }
    bounds = [
        Bound(_WHAT, name, "", found["ms"]["p99"], _MOST_P99_MS, "ms")
        for name, found in data.items()
    ]
    return Part([_shown_times(data), _shown_answers(data)], bounds, data)


def _measure(
    place: Callable[[], str],
    specs: Sequence[ToolSpec],
    real: Sequence[ToolSpec],
    asked: Sequence[Question],
    model: Path | None,
) -> dict[str, Any]:
    where, of_real = place(), place()
    with Registry.open(of_real) as registry:
        _fill(registry, real)
        tasks = labelled(registry, f"{len(real)} tools", model)
    with Registry.open(where) as registry:
        _fill(registry, specs)
        # Before there are records, which rank tools in another order than relevance does.
        beside_all = compared(registry, asked[:_COMPARED])
        tasks |= labelled(registry, f"{len(specs):,} tools", model)
        _give_records(registry, specs)
    times = {"ms": _timed(where, asked)}
    if model is not None:
        times[BY_MEANING] = _timed(where, asked[:_COMPARED], model)
    return {"tools": len(specs), **times, "compared": beside_all, "labelled": tasks}


def _fill(registry: Registry, specs: Sequence[ToolSpec]) -> None:
    """Register tools in bulk, and index them."""
    with registry.database.write() as connection:
        for start in range(0, len(specs), _BATCH):
            versions = [
                ToolVersion(spec, 1, Tier.SANDBOX, State.ACTIVE, _AT)
                for spec in specs[start : start + _BATCH]
            ]
            values = [rows.version_values(version) for version in versions]
            connection.execute(insert(schema.versions), values)
            names = [{"name": one.spec.name, "active": one.digest} for one in versions]
            connection.execute(insert(schema.tools), names)
    rebuild(registry.database)


def _give_records(registry: Registry, specs: Sequence[ToolSpec]) -> None:
    """Let a fifth of the tools have been used, up to 30 times each."""
    rng = random.Random(3)  # noqa: S311 - a benchmark has no secrets
    used = rng.sample(specs, len(specs) // 5)
    made = (use for spec in used for use in _uses(rng, spec.digest))
    # In bulk, and so not chained: what is searched does not look at that.
    uses = [{**rows.use_values(use), "id": number} for number, use in enumerate(made, 1)]
    with registry.database.write() as connection:
        for start in range(0, len(uses), _BATCH):
            connection.execute(insert(schema.uses), uses[start : start + _BATCH])


def _uses(rng: random.Random, version: str) -> Iterable[Use]:
    success, median_s = rng.choice((1, 0.98, 0.9, 0.5)), rng.choice((0.05, 0.2, 1.0, 8.0))
    for number in range(rng.randint(1, 30)):
        status = CallStatus.OK if rng.random() < success else CallStatus.ERROR
        yield Use(version, f"input-{number}", status, median_s * rng.uniform(0.5, 2), _AT)


def _timed(where: str, asked: Sequence[Question], model: Path | None = None) -> dict[str, float]:
    """Return the milliseconds of searches in a process of their own."""
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump([question.text for question in asked], file)
        file.flush()
        command = [
            sys.executable,
            "-m",
            "benchmarks.registry.retrieval",
            "--time",
            where,
            file.name,
        ]
        command += ["--model", str(model)] if model is not None else []
        ran = subprocess.run(command, capture_output=True, text=True, check=True)
    first, *others = json.loads(ran.stdout)
    return {"first": first["wall"]} | {
        f"{name}{kind}": share
        for kind, of in (("", "wall"), (" of a processor", "processor"))
        for name, share in _percentiles([taken[of] for taken in others]).items()
    }


def _percentiles(taken: Sequence[float]) -> dict[str, float]:
    shares = statistics.quantiles(taken, n=100, method="inclusive")
    return {"p50": shares[49], "p90": shares[89], "p99": shares[98]}


def _time(where: str, texts: Sequence[str], model: Path | None) -> list[dict[str, float]]:
    taken = []
    embedder = LocalEmbedder(model) if model is not None else None
    with Registry.open(where) as registry:
        for text in texts:
            wall, processor = time.perf_counter(), time.process_time()
            registry.search(text, k=K, embedder=embedder)
            taken.append(
                {
                    "wall": (time.perf_counter() - wall) * 1e3,
                    "processor": (time.process_time() - processor) * 1e3,
                }
            )
    return taken


def _shown_times(data: Mapping[str, Any]) -> str:
    columns = [*next(iter(data.values()))["ms"]]
    lines = [
        (label, *(f"{found[times][one]:.1f}" for one in columns))
        for name, found in data.items()
        for times, label in (("ms", name), (BY_MEANING, f"{name}, {BY_MEANING}"))
        if times in found
    ]
    return table(("ms a search", *columns), lines)


def _shown_answers(data: Mapping[str, Any]) -> str:
    lines = []
    for name, found in data.items():
        for what, share in found["compared"].items():
            lines.append((name, f"{found['tools']:,} tools", what, f"{share:.3f}", ""))
        for among, sources in found["labelled"].items():
            for source, of_source in sources.items():
                figures = (f"{of_source['recall']:.3f}", f"{of_source['reciprocal rank']:.3f}")
                lines.append((name, among, f"{source} ({of_source['tasks']})", *figures))
    head = ("database", "among", "questions", f"found among {K}", "mean reciprocal rank")
    return table(head, lines)


def main() -> None:
    """Measure what the command line asks for, show it, and end with 1 where a bound is broken."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tools", type=int, default=100_000)
    parser.add_argument("--questions", type=int, default=1000)
    parser.add_argument("--model", type=Path, metavar="FOLDER", help="a static embedding model")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--time", nargs=2, metavar=("WHERE", "FILE"), help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.time:
        where, file = given.time
        print(json.dumps(_time(where, json.loads(Path(file).read_text("utf-8")), given.model)))
        return
    warn_if_busy()
    told = {
        **about(),
        "command": f"python -m benchmarks.registry.retrieval {' '.join(sys.argv[1:])}",
    }
    numbers = count()
    with tempfile.TemporaryDirectory(prefix="toolguild-retrieval-") as folder:
        places = {"SQLite": lambda: str(Path(folder, f"{next(numbers)}.db"))}
        found = measure_retrieval(
            places, size=given.tools, questions=given.questions, model=given.model
        )
    if given.json:
        print(json.dumps({"about": told, **found.data}, indent=2))
    else:
        print("\n\n".join([about_table(told), *found.tables, *map(str, found.bounds)]))
    broken = [str(bound) for bound in found.bounds if not bound.kept]
    if broken:
        print("Not kept: " + "; ".join(broken), file=sys.stderr)
        sys.exit(1)


if __name__ == "__main__":
    main()
