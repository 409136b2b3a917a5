"""Writers that are killed with SIGKILL at moments that nobody chose."""

from __future__ import annotations

import random
import tempfile
import time
from pathlib import Path

from benchmarks.registry.databases import Places
from benchmarks.registry.holding import Held, look, read_acknowledged
from benchmarks.registry.report import Part, least, most
from benchmarks.registry.writers import writer
from benchmarks.sandbox.tables import table

__all__ = ["measure_kills"]

_WRITERS = 2
_PER_REGISTRY = 10
"""Kills that one registry goes through, the first of them while it is made."""
_LONGEST_S = 0.25
_FOREVER = 1_000_000


def measure_kills(places: Places, kills: int = 200) -> Part:
    """Kill writers so many times on each database; look at the registry after each."""
    rows, bounds, data = [], [], {}
    for number, (database, new_place) in enumerate(places.items()):
        rng = random.Random(number)  # noqa: S311 - moments, not secrets
        looks: list[Held] = []
        acknowledged = 0
        while len(looks) < kills:
            looks += _kill_on(new_place(), min(_PER_REGISTRY, kills - len(looks)), rng)
            acknowledged += looks[-1].acknowledged  # on this registry, in all
        wrong = [one for one in looks if one.lost or one.twice or one.out_of_chain or one.forked]
        rows.append((database, str(len(looks)), str(acknowledged), str(len(wrong))))
        bounds += [
            least("kills", database, len(looks), kills, "kills"),
            most(
                "kills after which the registry does not open and verify",
                database,
                sum(bool(one.out_of_chain) for one in looks),
                0,
                "kills",
            ),
            most("writes lost", database, sum(len(one.lost) for one in looks), 0, "writes"),
            most("uses counted twice", database, sum(len(one.twice) for one in looks), 0, "uses"),
        ]
        data[database] = [
            {"lost": one.lost, "twice": one.twice, "problem": one.out_of_chain} for one in wrong
        ]
    head = ("database", "kills", "writes acknowledged", "kills with anything wrong after")
    return Part([table(head, rows)], bounds, data)


def _kill_on(where: str, kills: int, rng: random.Random) -> list[Held]:
    """Kill both writers at once, several times on one registry; return what was found each time."""
    looks = []
    with tempfile.TemporaryDirectory() as folder:
        files = []
        for number in range(kills):
            fresh = [Path(folder, f"{number}-{name}") for name in range(_WRITERS)]
            files += fresh
            processes = [writer(where, told.name, _FOREVER, told) for told in fresh]
            for process in processes:
                process.start()
            # The first time at any moment from the start, so that the registry may be half made;
            # then at any moment while both write.
            while number and not all(map(_has_written, fresh)):
                time.sleep(0.001)
            time.sleep(rng.uniform(0, _LONGEST_S))
            for process in processes:
                process.kill()
            for process in processes:
                process.join()
            looks.append(look(where, read_acknowledged(files)))
    return looks


def _has_written(acknowledged: Path) -> bool:
    return acknowledged.exists() and acknowledged.stat().st_size > 0
