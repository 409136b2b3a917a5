"""What a program behind the wall gets when it imports: views that show the listed names only."""

from __future__ import annotations

import importlib
import types
from collections.abc import Callable, Mapping
from typing import Any, NoReturn

from toolguild.sandbox.wall import patches
from toolguild.sandbox.wall.files import Files
from toolguild.sandbox.wall.guards import Guards
from toolguild.sandbox.wall.rules import RefusedImportError, Rules, lacking, refuse
from toolguild.sandbox.wall.stand_ins import ModuleView, stand_ins

__all__ = ["Closed", "Metaclass", "Modules"]

_MISSING = object()


def _make_view(module: str) -> ModuleView:
    # A class without `__getattr__`, which would make every access slow.
    view: ModuleView = type(f"module {module}", (ModuleView,), {})()
    return view


class Metaclass:
    """Stands for a class of classes: the `metaclass` of a class statement, and nothing else."""


class Closed:
    """Stands for a name that leads to more than the profile lists: a module, or what makes classes.

    Whatever a program does with it is refused.
    """

    def __init__(self, dotted: str) -> None:
        self._dotted = dotted

    def __getattr__(self, name: str) -> NoReturn:
        self()

    def __call__(self, *arguments: object, **options: object) -> NoReturn:
        """Refuse.

        Raises:
            RefusedError: always.
        """
        refuse(f"`{self._dotted}` leads to more than the profile lists for it; list that by itself")


class Modules:
    """The modules of one program."""

    def __init__(self, rules: Rules, guards: Guards, files: Files) -> None:
        self._rules = rules
        self._guards = guards
        self._files = files
        self._views: dict[str, ModuleView] = {}
        self._stand_ins = stand_ins(guards)
        # Not in the stand-ins themselves, which the program holds.
        self._metaclasses: dict[Metaclass, type] = {}

    def do_import(
        self,
        name: str,
        globals: Mapping[str, Any] | None = None,
        locals: Mapping[str, Any] | None = None,
        fromlist: tuple[str, ...] | None = (),
        level: int = 0,
    ) -> Any:
        """Stand in for `__import__`.

        Raises:
            RefusedImportError: the program may not have a name.
        """
        if not self._rules.is_module(name):
            # The interpreter itself asks, as `strptime` does for `_strptime`: it looks the module
            # up on its own. A program would have been refused when it was compiled.
            importlib.import_module(name)
            return None
        for asked in fromlist or ():
            if asked != "__doc__" and (fault := self._rules.import_fault(name, asked)):
                msg = f"{fault.tell()}."
                raise RefusedImportError(msg)
            if self._rules.is_module(f"{name}.{asked}"):
                self._view(f"{name}.{asked}")
        view = self._view(name)
        return view if fromlist else self._view(name.split(".")[0])

    def metaclass(self, stand_in: object) -> type:
        """Return the class of classes that a class statement asks for.

        Raises:
            RefusedError: it is not one that the program may have.
        """
        if type(stand_in) is not Metaclass:
            refuse("this metaclass is not available; use a decorator or a base class")
        return self._metaclasses[stand_in]

    def _view(self, name: str) -> ModuleView:
        if name not in self._views:
            self._views[name] = _make_view(name)
            self._fill(name)
        return self._views[name]

    def _fill(self, name: str) -> None:
        module = importlib.import_module(name)
        self._guards.withhold_methods_of(name)
        self._files.prepare(module)
        patches.prepare(module, self._guards)
        shown = vars(self._views[name])
        for dotted, capability in self._rules.withheld.items():
            parent, _, leaf = dotted.rpartition(".")
            if parent == name and hasattr(module, leaf):
                shown[leaf] = _refused(dotted, capability)
        for export in self._rules.modules.get(name, ()):
            # Which names there are depends on the version of Python.
            value = getattr(module, export, _MISSING)
            if value is not _MISSING:
                shown[export] = self._as_shown(f"{name}.{export}", value)
        package, _, leaf = name.rpartition(".")
        if package:
            vars(self._view(package))[leaf] = self._views[name]
        for known in self._rules.modules:
            # Some modules come with another: `os.path` is there once `os` is.
            parent, _, leaf = known.rpartition(".")
            if parent == name and hasattr(module, leaf) and leaf not in shown:
                shown[leaf] = self._view(known)

    def _as_shown(self, dotted: str, value: Any) -> Any:
        if isinstance(value, types.ModuleType):
            # By `import from`, no guard would look at it.
            return self._view(dotted) if self._rules.is_module(dotted) else Closed(dotted)
        if dotted in self._stand_ins:
            return self._stand_ins[dotted]
        if dotted in self._rules.metaclasses:
            stand_in = Metaclass()
            self._metaclasses[stand_in] = value
            return stand_in
        if isinstance(value, type) and issubclass(value, type):
            return Closed(dotted)
        return self._files.stand_in(dotted, value)


def _refused(dotted: str, capability: str) -> Callable[..., NoReturn]:
    """Return what tells a program what it lacks, as soon as it makes use of it."""

    def refused(*arguments: object, **options: object) -> NoReturn:
        refuse(lacking(f"`{dotted}`", capability))

    return refused
