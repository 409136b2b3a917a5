"""The inner wall: a program of the `sandbox` tier runs as RestrictedPython, inside the isolation.

The isolation decides what the process can do; the wall keeps the program from getting that far. It
is compiled under a policy of our own, with guards where attributes and items are read and
attributes are set, among builtins of its own, and sees modules as views of the names that the code
profile lists. Neither relies on the other.
"""

from __future__ import annotations

import builtins
from collections.abc import Callable
from types import CodeType, ModuleType
from typing import Any

from toolguild.sandbox import wall_policy
from toolguild.sandbox.wall_guards import Guards
from toolguild.sandbox.wall_modules import Modules, forbid_evaluation_of_annotations
from toolguild.sandbox.wall_rules import RefusedError, Rules

__all__ = ["RefusedError", "Rules", "Wall", "line_of"]


class Wall:
    """The wall around one program, which is yet to come.

    It can be made ahead, in a process that forks another for each program.
    """

    def __init__(self, rules: Rules, module: ModuleType) -> None:
        """Put builtins and guards into the module that the program is to become."""
        self.module = module
        self._rules = rules
        self._guards = Guards(rules, module.__dict__)
        module.__dict__["__builtins__"] = _builtins(rules, self._guards)

    def compile(self, source: str) -> CodeType:
        """Return the code to run in the module.

        Raises:
            RefusedError: the text asks for what the rules do not allow; the message says where.
            SyntaxError: it is no Python.
        """
        return wall_policy.compile_behind_wall(source, self._rules)

    def enter(self) -> None:
        """Make this process the program's: `typing` is changed for all that is in it."""
        forbid_evaluation_of_annotations(self._guards)


def _builtins(rules: Rules, guards: Guards) -> dict[str, Any]:
    modules = Modules(rules, guards)
    allowed = {name: getattr(builtins, name) for name in rules.builtins if hasattr(builtins, name)}
    return {
        **allowed,
        "__build_class__": _class_builder(guards, modules),
        "__import__": modules.do_import,
        "getattr": guards.get_attribute,
        "hasattr": guards.has_attribute,
        "open": guards.refuse_open,
        "type": guards.type,
        wall_policy.CAPTURED: guards.captured,
        wall_policy.OWN: guards.make_own(),
        wall_policy.SEEN: guards.make_seen(),
        wall_policy.METHOD: guards.method,
        wall_policy.WRITE: guards.make_write(),
        wall_policy.WRITE_PRIVATE: guards.make_write_private(),
    }


def _class_builder(guards: Guards, modules: Modules) -> Callable[..., Any]:
    build = builtins.__build_class__

    def build_class(body: Any, name: str, /, *bases: Any, **keywords: Any) -> Any:
        if "metaclass" in keywords:
            keywords["metaclass"] = modules.metaclass(keywords["metaclass"])
        return guards.adopt(build(body, name, *bases, **keywords))

    return build_class


def line_of(error: BaseException) -> str:
    """Return `line N: ` for the line of the program in which an error arose, else nothing."""
    found = 0
    step = error.__traceback__
    while step:
        if step.tb_frame.f_code.co_filename == wall_policy.FILE_NAME:
            found = step.tb_lineno
        step = step.tb_next
    return f"line {found}: " if found else ""
