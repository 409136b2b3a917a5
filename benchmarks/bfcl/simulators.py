"""BFCL's simulators as live tools: file system, car, messages, posts, tickets and arithmetic.

They come with PyPI's `bfcl-eval`, to be installed without its dependencies, and `mpmath`. They keep
all that they know in memory and are run in this process, on the host: nothing but the simulators
of that package is ever loaded, and of those only public methods can be called, with JSON. Text
from traces and tools runs in the sandbox, as everywhere.

What is done here follows the package's own `multi_turn_utils.execute_multi_turn_func_call`.
"""

from __future__ import annotations

import copy
import importlib
import inspect
import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeAlias, cast

from toolguild.sandbox import Json, JsonObject, ToolCallError
from toolguild.synth.drafting import Case
from toolguild.synth.mining import canonical
from toolguild.synth.traces.values import decode_text, error_in

__all__ = ["BfclTools", "Simulators"]

PACKAGE = "bfcl_eval.eval_checker.multi_turn_eval.func_source_code"
MODULES = {
    "GorillaFileSystem": "gorilla_file_system",
    "MathAPI": "math_api",
    "MessageAPI": "message_api",
    "TicketAPI": "ticket_api",
    "TwitterAPI": "posting_api",
    "VehicleControlAPI": "vehicle_control",
}
STATELESS = {"MathAPI"}

NOT_STATE = {"_api_description", "_last_modified", "_random", "parent"}
"""Attributes that are left out: words for models, the time of day, what chance will bring (a
sensor that is read once more shows something else the next time), and the way back up a tree."""

Call: TypeAlias = tuple[str, JsonObject]


class Simulators:
    """The simulators of one script, in the state that it prescribes."""

    def __init__(self, classes: list[str], config: Mapping[str, Any]) -> None:
        self._instances: dict[str, Any] = {}
        self._tools: dict[str, Callable[..., Any]] = {}
        for name in classes:
            instance = getattr(importlib.import_module(f"{PACKAGE}.{MODULES[name]}"), name)()
            if name not in STATELESS:
                instance._load_scenario(copy.deepcopy(config.get(name, {})), long_context=False)
            self._instances[name] = instance
            for tool, method in inspect.getmembers(instance, inspect.ismethod):
                if not tool.startswith("_"):
                    self._tools[tool] = method

    def __call__(self, name: str, arguments: JsonObject) -> Json:
        """Call a tool.

        Raises:
            ToolCallError: there is no such tool, it fails, or its result says that it failed.
        """
        if name not in self._tools:
            message = f"there is no tool {name}"
            raise ToolCallError(message)
        try:
            # Written out, as in the logs: what is no JSON was an error there as well.
            text = json.dumps(self._tools[name](**copy.deepcopy(arguments)))
        except Exception as error:  # whatever a simulator raises is the tool's failure
            message = f"Error during execution: {error}"
            raise ToolCallError(message) from error
        result = decode_text(text)
        if (failure := error_in(result)) is not None:
            raise ToolCallError(failure)
        return result

    def state(self) -> Json:
        """Return what the simulators hold, private attributes included.

        The package itself compares public ones only; but in which directory one is, say, stands in
        a private one.
        """
        return {
            name: {"at": _path(instance), **_members(instance)}
            if name == "GorillaFileSystem"
            else _members(instance)
            for name, instance in self._instances.items()
        }


def _path(file_system: Any) -> str:
    """Return the names of the directories that lead to the current one."""
    names: list[str] = []
    directory = file_system._current_dir
    while directory is not None:
        names.insert(0, directory.name)
        directory = directory.parent
    return "/".join(names)


def _members(instance: Any) -> dict[str, Json]:
    left_out = NOT_STATE | {"_current_dir"}
    return {name: _plain(value) for name, value in vars(instance).items() if name not in left_out}


def _plain(value: Any) -> Json:
    """Return a part of a simulator's state as JSON; sets sorted, keys as text."""
    if isinstance(value, Mapping):
        return {str(key): _plain(member) for key, member in value.items()}
    if isinstance(value, set | frozenset):
        return sorted((_plain(member) for member in value), key=canonical)
    if isinstance(value, list | tuple):
        return [_plain(member) for member in value]
    if value is None or isinstance(value, bool | int | float | str):
        return value
    return _members(value)


class BfclTools:
    """Copies of the simulators as they were at some call of some recorded script.

    Args:
        path: The trajectories: a list of `{id, involved_classes, initial_config, traj}`.
    """

    def __init__(self, path: Path) -> None:
        scripts = json.loads(path.read_text("utf-8"))
        self._scripts = {script["id"]: script for script in scripts}

    def scratch(self, case: Case) -> Simulators | None:
        """Return the simulators of the case's script after the calls before the case's first one.

        None where the case is of no script, or where those calls are not answered as recorded.
        """
        script = self._scripts.get(case.trace_id)
        if script is None or not case.calls:
            return None
        simulators = self.at_start(case.trace_id)
        before = case.calls[0].place.step - 1
        for (name, arguments), recorded in list(_recorded(script["traj"]))[:before]:
            try:
                result = simulators(name, arguments)
            except ToolCallError:
                if error_in(recorded) is None:
                    return None
            else:
                if canonical(result) != canonical(recorded):
                    return None
        return simulators

    def at_start(self, script_id: str) -> Simulators:
        """Return the simulators as a script finds them.

        Raises:
            KeyError: there is no such script.
        """
        script = self._scripts[script_id]
        return Simulators(script["involved_classes"], script["initial_config"])


def _recorded(messages: list[dict[str, Any]]) -> Iterator[tuple[Call, Json]]:
    """Yield the calls of a script with their results, nothing redacted, in order."""
    results = {
        message["tool_call_id"]: message["content"]
        for message in messages
        if message["role"] == "tool"
    }
    for message in messages:
        for call in message.get("tool_calls") or ():
            function = call["function"]
            arguments = cast("JsonObject", json.loads(function["arguments"]))
            yield (function["name"], arguments), decode_text(results[call["id"]])
