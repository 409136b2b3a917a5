"""The static gate: every rule, asked about one text in one pass."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator

from toolguild.policies import Tier
from toolguild.policies.code_rules import CodeProfile, load_code_profile
from toolguild.synth.validation.static.findings import Finding, Severity
from toolguild.synth.validation.static.reading import SourceError, SourceTooBigError
from toolguild.synth.validation.static.rules import (
    RULES,
    Family,
    Question,
    Rule,
    TextRule,
    TreeRule,
)
from toolguild.synth.validation.static.rules.text import NotPython, TooBig
from toolguild.synth.validation.static.source import ToolSource

__all__ = ["ALL_FAMILIES", "SAFETY_FAMILIES", "check_source"]

ALL_FAMILIES = frozenset(Family)
SAFETY_FAMILIES = ALL_FAMILIES - {Family.CONTRACT}

_MAX_FINDINGS = 200  # a text with more is refused no more thoroughly for it


def check_source(
    source: str,
    tier: Tier,
    *,
    profile: CodeProfile | None = None,
    entry: str | None = None,
    calls: Collection[str] | None = None,
    families: Collection[Family] = ALL_FAMILIES,
) -> list[Finding]:
    """Judge a tool's text without running any of it.

    Args:
        source: the text of one module. Any string is answered; none makes this raise.
        tier: the tier that the tool is to run at; it decides on files and network.
        profile: the lists behind the rules, `balanced` if left out.
        entry: name of the tool's function; if left out, the module's only public function is it.
        calls: names of the tools that exist; if given, `call_tool` may name no others.
        families: the rules to ask; `SAFETY_FAMILIES` leaves out those about quality.

    Returns:
        What is wrong, by place, at most 200 errors and 200 warnings. `refused` tells whether one of
        them is an error. A text that cannot be parsed is an error whatever the families.
    """
    question = Question(tier, profile or load_code_profile(), entry, calls)
    rules = [rule for rule in RULES if rule.family in families]
    errors: list[Finding] = []
    warnings: list[Finding] = []
    try:
        for finding in _findings(source, question, rules):
            # Apart, so that no number of warnings can keep an error out of the answer.
            kept = errors if finding.severity is Severity.ERROR else warnings
            kept.append(finding)
            if len(errors) == _MAX_FINDINGS:
                break
    except RecursionError:
        # Rules go into a tree by a few levels only, but the caller may stand deep already.
        return [TooBig().finding((1, 1, 1), "the text is nested too deeply to be judged", None)]
    return sorted(errors + warnings[:_MAX_FINDINGS])


def _findings(text: str, question: Question, rules: list[Rule]) -> Iterator[Finding]:
    limit = question.profile.limits.max_bytes
    if len(text) <= limit:  # searching more than that takes long, and it is refused anyway
        for rule in rules:
            if isinstance(rule, TextRule):
                yield from rule.check_text(text)
    try:
        source = ToolSource(text, question.profile)
    except SourceError as error:
        rule = TooBig() if isinstance(error, SourceTooBigError) else NotPython()
        place = (error.line, error.column, error.line)
        yield rule.finding(place, str(error), None)
        return
    tree_rules = [rule for rule in rules if isinstance(rule, TreeRule)]
    interested: dict[type[ast.AST], list[TreeRule[ast.AST]]] = {}
    for node in source.index.nodes:
        kind = type(node)
        if kind not in interested:
            interested[kind] = [rule for rule in tree_rules if issubclass(kind, rule.visits)]
        for tree_rule in interested[kind]:
            yield from tree_rule.check(node, source, question)
