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

from toolguild.sandbox.wall import patches, policy, transformer
from toolguild.sandbox.wall.files import Files
from toolguild.sandbox.wall.guards import Guards
from toolguild.sandbox.wall.modules import Modules
from toolguild.sandbox.wall.rules import RefusedError, Rules

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
        self._files = Files(rules)
        module.__dict__["__builtins__"] = _builtins(rules, self._guards, self._files)
        self._changes = [*patches.changes(self._guards), *self._files.changes()]
        # Kept, as taking an object apart costs more than all of the changes.
        self._originals = [namespace[name] for namespace, name, _ in self._changes]

    def compile(self, source: str) -> CodeType:
        """Return the code to run in the module.

        Raises:
            RefusedError: the text asks for what the rules do not allow; the message says where.
            SyntaxError: it is no Python.
        """
        return policy.compile_behind_wall(source, self._rules)

    def enter(self) -> None:
        """Make this process the program's: the library is changed for all that is in it."""
        for namespace, name, value in self._changes:
            namespace[name] = value

    def rehearse(self) -> None:
        """Go through the motions of `enter`, and change nothing."""
        for (namespace, name, _), original in zip(self._changes, self._originals, strict=True):
            namespace[name] = original


def _builtins(rules: Rules, guards: Guards, files: Files) -> dict[str, Any]:
    modules = Modules(rules, guards, files)
    guarded = {
        "getattr": guards.get_attribute,
        "hasattr": guards.has_attribute,
        "open": files.open,
        "type": guards.classes.type,
    }
    found = {**vars(builtins), **guarded}
    return {
        **{name: found[name] for name in rules.builtins if name in found},
        "__build_class__": _class_builder(guards, modules),
        "__import__": modules.do_import,
        transformer.OWN: guards.make_own(),
        transformer.SEEN: guards.make_seen(),
        transformer.METHOD: guards.method,
        transformer.WRITE: guards.make_write(),
        transformer.WRITE_PRIVATE: guards.make_write_private(),
    }


def _class_builder(guards: Guards, modules: Modules) -> Callable[..., Any]:
    build = builtins.__build_class__

    def build_class(body: Any, name: str, /, *bases: Any, **keywords: Any) -> Any:
        if "metaclass" in keywords:
            keywords["metaclass"] = modules.metaclass(keywords["metaclass"])
        # Ahead: hooks of the program are given the class as soon as it is there.
        guards.classes.check_definition(bases, body, plain="metaclass" not in keywords)
        return guards.classes.check_made(build(body, name, *bases, **keywords))

    return build_class


def line_of(error: BaseException) -> str:
    """Return `line N: ` for the line of the program in which an error arose, else nothing."""
    found = 0
    step = error.__traceback__
    while step:
        if step.tb_frame.f_code.co_filename == policy.FILE_NAME:
            found = step.tb_lineno
        step = step.tb_next
    return f"line {found}: " if found else ""
