"""The static gate: every rule, asked about one text in one pass."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace

from toolguild.policies import Capability, Profile, Tier, load_profile, lowest_tier_allowing
from toolguild.policies.code_rules import CodeProfile, RuleLevel
from toolguild.synth.validation.static.effects import (
    EffectUse,
    ToolUse,
    effect_uses,
    tool_uses,
)
from toolguild.synth.validation.static.findings import Finding, Severity, refused
from toolguild.synth.validation.static.reading import SourceError, SourceTooBigError
from toolguild.synth.validation.static.rules import (
    RULES,
    Family,
    Question,
    TextRule,
    TreeRule,
)
from toolguild.synth.validation.static.rules.text import NotPython, TooBig
from toolguild.synth.validation.static.source import ToolSource

__all__ = ["ALL_FAMILIES", "SAFETY_FAMILIES", "Examination", "check_source", "examine"]

ALL_FAMILIES = frozenset(Family)
SAFETY_FAMILIES = ALL_FAMILIES - {Family.CONTRACT}

_MAX_FINDINGS = 200  # a text with more is refused no more thoroughly for it


@dataclass(frozen=True, slots=True)
class Examination:
    """All that the static gate can tell of one text."""

    findings: tuple[Finding, ...]
    """What is wrong, by place: at most 200 errors and 200 warnings."""
    effects: tuple[EffectUse, ...] = ()
    """Where the text reads, writes and uses the network; empty for a text that cannot be parsed."""
    tools: tuple[ToolUse, ...] = ()
    """Where it calls other tools, as far as their names are literals."""
    lowest_tier: Tier = Tier.SANDBOX
    """The lowest tier that has what the text imports and uses."""

    @property
    def refused(self) -> bool:
        """Whether one of the findings is an error."""
        return refused(self.findings)

    @property
    def needs(self) -> frozenset[Capability]:
        """The capabilities that the text uses."""
        return frozenset(use.capability for use in self.effects)


def check_source(
    source: str,
    tier: Tier,
    *,
    profile: Profile | None = None,
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
    code = (profile or load_profile()).code
    return _Gate(source, Question(tier, code, entry, calls), families).findings()


def examine(
    source: str,
    tier: Tier,
    *,
    profile: Profile | None = None,
    entry: str | None = None,
    calls: Collection[str] | None = None,
) -> Examination:
    """Judge a tool's text as `check_source` does, and tell what it needs.

    Args:
        source: the text of one module. Any string is answered; none makes this raise.
        tier: the tier that the tool is to run at; it decides on files and network.
        profile: the lists behind the rules, `balanced` if left out.
        entry: name of the tool's function; if left out, the module's only public function is it.
        calls: names of the tools that exist; if given, `call_tool` may name no others.
    """
    code = (profile or load_profile()).code
    gate = _Gate(source, Question(tier, code, entry, calls), ALL_FAMILIES)
    findings = tuple(gate.findings())
    parsed = gate.source
    if parsed is None:
        return Examination(findings)
    effects = tuple(effect_uses(parsed))
    lowest = max(
        lowest_tier_allowing(use.capability for use in effects),
        *(code.modules[name].from_tier for name in parsed.imported_modules & code.modules.keys()),
        Tier.SANDBOX,
    )
    return Examination(findings, effects, tuple(tool_uses(parsed)), lowest)


class _Gate:
    """One text and the rules that are asked about it."""

    def __init__(self, text: str, question: Question, families: Collection[Family]) -> None:
        self._text = text
        self._question = question
        self._rules = [
            rule
            for rule in RULES
            if rule.family in families and question.profile.level(rule.code) is not RuleLevel.OFF
        ]
        self.source: ToolSource | None = None
        """The parsed text, once `findings` has asked; None where it cannot be parsed."""

    def findings(self) -> list[Finding]:
        """Ask every rule."""
        errors: list[Finding] = []
        warnings: list[Finding] = []
        try:
            for finding in self._found():
                # Apart, so that no number of warnings can keep an error out of the answer.
                if self._question.profile.level(finding.code) is RuleLevel.WARNING:
                    warnings.append(replace(finding, severity=Severity.WARNING))
                else:
                    errors.append(finding)
                if len(errors) == _MAX_FINDINGS:
                    break
        except RecursionError:
            # Rules go into a tree by a few levels only, but the caller may stand deep already.
            self.source = None
            return [TooBig().finding((1, 1, 1), "the text is nested too deeply to be judged")]
        return sorted(errors + warnings[:_MAX_FINDINGS])

    def _found(self) -> Iterator[Finding]:
        profile: CodeProfile = self._question.profile
        if len(self._text) <= profile.limits.max_bytes:
            # Searching more than that takes long, and it is refused anyway.
            for rule in self._rules:
                if isinstance(rule, TextRule):
                    yield from rule.check_text(self._text)
        try:
            source = self.source = ToolSource(self._text, profile)
        except SourceError as error:
            rule = TooBig() if isinstance(error, SourceTooBigError) else NotPython()
            yield rule.finding((error.line, error.column, error.line), str(error))
            return
        asked: dict[type[ast.AST], list[TreeRule[ast.AST]]] = {
            kind: [
                rule
                for rule in self._rules
                if isinstance(rule, TreeRule) and issubclass(kind, rule.visits)
            ]
            for kind in source.index.by_kind
        }
        for node in source.index.nodes:
            for tree_rule in asked[type(node)]:
                yield from tree_rule.check(node, source, self._question)
