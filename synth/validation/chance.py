"""What in a text may make the same call end differently another time: chance, clocks, identities.

Running a tool twice shows what varies within a second, not what varies within a day. So what its
text reads of such things is held against what the text reads that it replaces.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Final

from toolguild.policies import Profile
from toolguild.synth.drafting import Draft
from toolguild.synth.validation.static import SourceError
from toolguild.synth.validation.static.reading import parse

__all__ = ["new_sources_of_chance"]

_MODULES: Final = frozenset({"random", "secrets", "uuid", "time", "locale", "tempfile"})
_FUNCTIONS: Final = frozenset({"id", "hash"})
_METHODS: Final = frozenset({"now", "today", "utcnow", "astimezone", "timestamp", "fromtimestamp"})
"""Of dates and times: they read the clock, or the time zone of the machine."""


def new_sources_of_chance(draft: Draft, profile: Profile) -> str:
    """Say what a draft reads that may vary and that its original does not; "" where nothing."""
    if draft.original is None:
        return ""
    known = {what for text in draft.replaced_code for what, _ in _sources(text, profile)}
    for what, line in _sources(draft.source, profile):
        if what not in known:
            return f"reads {what} on line {line}, which what it replaces does not"
    return ""


def _sources(text: str, profile: Profile) -> Iterator[tuple[str, int]]:
    """Yield what a text reads that may vary, each with its line."""
    try:
        tree = parse(text, profile.code.limits)
    except SourceError:
        return
    bound = {node.arg for node in ast.walk(tree) if isinstance(node, ast.arg)}
    bound |= {
        node.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    }
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=names):
                for alias in names:
                    if alias.name.split(".")[0] in _MODULES:
                        yield f"`{alias.name}`", node.lineno
            case ast.ImportFrom(module=str() as module) if module.split(".")[0] in _MODULES:
                yield f"`{module}`", node.lineno
            case ast.Name(id=name) if name in _FUNCTIONS - bound:
                yield f"`{name}`", node.lineno
            case ast.Attribute(attr=name) if name in _METHODS:
                yield f"`.{name}`", node.lineno
