"""Putting tools into a session as far as that cannot be told from what the session does."""

from __future__ import annotations

import ast
import sys
from collections.abc import Sequence
from dataclasses import dataclass

from toolguild.sandbox import Sandbox
from toolguild.synth.mining.programs import Session, first_bindings
from toolguild.synth.rewriting.places import TOOLS, Place
from toolguild.synth.rewriting.rerun import Transcript, rerun
from toolguild.synth.rewriting.rewrite import Rewritten, rewrite

__all__ = ["Done", "rewrite_session"]


@dataclass(frozen=True, slots=True)
class Done:
    """What became of a session."""

    rewritten: Rewritten | None
    """The session with every tool that changes nothing; None where it cannot be run."""
    refused: tuple[tuple[Place, str], ...] = ()

    @property
    def could_run(self) -> bool:
        """Whether the sandbox runs the session to its end, with all packages."""
        return self.rewritten is not None


def rewrite_session(session: Session, places: Sequence[Place], sandbox: Sandbox) -> Done:
    """Put tools in all the places of a session where that cannot be told from outside.

    Args:
        session: The recorded code.
        places: None of them overlaps another.
        sandbox: Where it runs.

    Raises:
        SandboxUnavailableError: nothing can be run.
    """
    original = rerun([snippet.tree for snippet in session.snippets], (), sandbox)
    if isinstance(original, str) or original.misses_a_package:
        why = original if isinstance(original, str) else "the sandbox misses a package"
        return Done(None, tuple((place, why) for place in places))
    trial = _Trial(session, original, sandbox)
    kept, refused = trial.hold([], _without_needless_imports(session, places))
    return Done(rewrite(session, kept), tuple(refused))


@dataclass(frozen=True, slots=True)
class _Trial:
    session: Session
    original: Transcript
    sandbox: Sandbox

    def hold(
        self, kept: list[Place], places: list[Place]
    ) -> tuple[list[Place], list[tuple[Place, str]]]:
        """Add the places that change nothing to those kept, all at once where that can be."""
        why = self._difference([*kept, *places])
        if not why:
            return [*kept, *places], []
        if len(places) == 1:
            return kept, [(places[0], why)]
        middle = len(places) // 2
        kept, refused = self.hold(kept, places[:middle])
        kept, more = self.hold(kept, places[middle:])
        return kept, refused + more

    def _difference(self, places: Sequence[Place]) -> str:
        trees = rewrite(self.session, places).trees
        tools = [*{place.tool.name: place.tool for place in places}.values()]
        if shadowed := _shadowed(trees, places):
            return f"the session has something else called {shadowed}"
        observed = rerun(trees, tools, self.sandbox)
        if isinstance(observed, str):
            return observed
        if observed.shown != self.original.shown:
            return "it prints something else"
        if observed.errors != self.original.errors:
            return "it ends otherwise"
        return "" if observed == self.original else "an assertion says something else"


def _without_needless_imports(session: Session, places: Sequence[Place]) -> list[Place]:
    """Return the places, without imports of tools whose names nothing takes any more.

    Where a session defines a function again and again, a tool may stand for all of them.
    """
    bound = first_bindings(rewrite(session, places).trees, but_from=TOOLS)
    return [
        place.with_nothing_put
        if isinstance(place.put, ast.ImportFrom)
        and bound.get(place.tool.name, _NEVER) >= (place.snippet, place.lines[0])
        else place
        for place in places
    ]


_NEVER = (sys.maxsize, 0)


def _shadowed(trees: Sequence[ast.Module], places: Sequence[Place]) -> str:
    """Return the name of a tool that means something else where it is called, "" where none does.

    What the session defines later may take over the name of a function that the tool was.
    """
    bound = first_bindings(trees)
    for place in places:
        first = bound.get(place.tool.name)
        takes_over = place.put is None and first and first >= (place.snippet, place.lines[0])
        if first and not takes_over and not isinstance(place.put, ast.ImportFrom):
            return place.tool.name
    return ""
