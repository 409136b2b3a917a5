"""What a scripted model says where it is asked to judge."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from toolguild.agent.scripted import Turn


def marks_of(marks: Mapping[str, float]) -> Callable[[Any], Turn]:
    """Return a script that gives each result its mark."""

    def reply(body: Any) -> Turn:
        told = body["messages"][1]["content"]
        result = json.loads(told.removeprefix("<data>").removesuffix("</data>"))["result"]
        return {"reason": "So it is.", "mark": marks[result]}

    return reply
