"""The rules as text for people: one of them, or all as Markdown.

`python -m toolguild.synth.validation.static.reference > docs/rules.md` writes the reference.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator

from toolguild.policies import Profile, ToolguildError, load_profile
from toolguild.policies.code_rules import may_be_eased
from toolguild.synth.validation.static.rules import RULES, Family, Rule
from toolguild.synth.validation.static.rules.text import is_hidden

__all__ = ["UnknownRuleError", "explain", "find_rule", "reference"]

_MAX_EXAMPLE = 200  # characters of an example that are shown, unless it has so many lines
_MAX_LINES = 12
_SEPARATOR = "# or"

_ABOUT = {
    Family.TEXT: "Is what people read what the interpreter runs?",
    Family.IMPORTS: "Which modules, and what of them?",
    Family.NAMES: "Which names and attributes, and what do they stand for?",
    Family.DEFINITIONS: "What runs while the module is being loaded?",
    Family.CONTRACT: "Is the module a tool? Rules about quality; all others are about safety.",
    Family.WORK: "Is there work that can be seen to have no end?",
}

_INTRODUCTION = """\
# Rules of the static gate

Made from the rules themselves by `python -m toolguild.synth.validation.static.reference`; a test
keeps it so, and runs every example below: in those that pass the rule finds nothing, in the others
it finds something and no other rule does. Characters that cannot be seen are shown as ⟨U+202E⟩.

`toolguild check FILE` asks all rules about a tool without running any of it, and
`toolguild check --explain TG101` prints one of the entries below. A finding is an *error*, which
refuses the tool, or a *warning*, which does not. What the rules look up, such as the modules that a
tool may import, is data: the profiles in `policies/profiles/`. A house changes it in the table
`[profile]` of `toolguild.toml`:

```toml
[profile]
extends = "balanced"          # or "strict", or the path of a file

[profile.rules]
TG405 = "error"               # "error", "warning" or "off"

[profile.limits]
max_bytes = 50_000

[profile.modules.numpy]       # a module that tools may import besides the usual ones
exports = ["array", "mean"]
from_tier = "restricted"      # the lowest tier that gets it; this one if left out
                              # ("sandbox": new tools get it too, behind the wall)
methods = { write = ["tofile"], forbidden = ["ctypes"] }

[profile.without]
modules = ["random"]
names = ["os.remove", "builtins.print"]

[profile.evidence]            # below which evidence is called thin; it refuses no tool
mutants_found = 0.9           # share of the faults put into a tool that its inputs must find
inputs = 200                  # generated inputs
```

The sandbox's wall goes by the same profile: what the gate lets a tool import is there when it runs,
and what a house takes away is not.

Rules marked *fixed* stay errors in every profile: the others rely on them.
"""


class UnknownRuleError(ToolguildError, LookupError):
    """There is no rule of that code."""


def find_rule(code: str) -> Rule:
    """Return the rule of a code such as `TG101`, in whatever case.

    Raises:
        UnknownRuleError: there is none.
    """
    for rule in RULES:
        if rule.code == code.upper():
            return rule
    message = f"there is no rule {code!r}; `toolguild check --explain all` lists them"
    raise UnknownRuleError(message)


def explain(rule: Rule, profile: Profile | None = None) -> str:
    """Return all that there is to say about a rule, as plain text."""
    return "\n".join(
        [
            f"{rule.code}: {rule.title} ({_standing(rule, profile)})",
            "",
            rule.what,
            "",
            f"Why: {rule.why}",
            "",
            f"Instead: {rule.remedy}",
            "",
            "Passes:",
            "",
            *_indented(rule.good),
            "Does not pass:",
            "",
            *_indented(rule.bad),
        ]
    ).rstrip()


def reference(profile: Profile | None = None) -> str:
    """Return the reference of all rules, as Markdown."""
    parts = [_INTRODUCTION, "| code | rule | |", "| --- | --- | --- |"]
    parts += [f"| {rule.code} | {rule.title} | {_standing(rule, profile)} |" for rule in RULES]
    family = None
    for rule in RULES:
        if rule.family is not family:
            family = rule.family
            parts += ["", f"## TG{family}: {_ABOUT[family]}"]
        parts += ["", *_entry(rule, profile)]
    return "\n".join(parts) + "\n"


def _standing(rule: Rule, profile: Profile | None) -> str:
    level = (profile or load_profile()).code.level(rule.code)
    return f"{level}" if may_be_eased(rule.code) else f"{level}, fixed"


def _entry(rule: Rule, profile: Profile | None) -> Iterator[str]:
    yield f"### {rule.code}: {rule.title}"
    yield from ("", rule.what, rule.why)
    yield from ("", f"Instead: {rule.remedy}")
    for heading, examples in (("Passes", rule.good), ("Does not pass", rule.bad)):
        yield from ("", f"{heading}:", "", "```python")
        yield f"\n{_SEPARATOR}\n".join(shown_example(example) for example in examples)
        yield "```"


def _indented(examples: Iterable[str]) -> Iterator[str]:
    for example in examples:
        yield from (f"    {line}" for line in shown_example(example).split("\n"))
        yield ""


def shown_example(text: str) -> str:
    """Return an example as it can be shown: what cannot be seen escaped, what is long cut off."""
    lines = text.split("\n")
    begin = "\n".join(line[:_MAX_EXAMPLE] for line in lines[:_MAX_LINES])
    visible = "".join(_visible(character) for character in begin).rstrip()
    more = len(text) - len(begin)
    return f"{visible}\n# ... {more:,} characters more" if more else visible


def _visible(character: str) -> str:
    seen = character.isprintable() and not is_hidden(character)
    return character if seen or character == "\n" else f"⟨U+{ord(character):04X}⟩"


if __name__ == "__main__":
    sys.stdout.write(reference())
