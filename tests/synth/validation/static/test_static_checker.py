"""What `check_source` answers, for any text."""

import ast
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from toolguild.policies import Profile, Tier, load_profile
from toolguild.synth.validation.static import (
    RULES,
    SAFETY_FAMILIES,
    Family,
    Finding,
    Severity,
    check_source,
    examine,
    refused,
)

TOOL = '''"""Totals."""
import re

_NUMBER = re.compile(r"\\\\d+")


def total(text: str, factor: int = 1) -> dict[str, int]:
    """Add up the numbers in a text.

    Args:
        text: any text.
        factor: what to multiply the sum by.

    Returns:
        The sum under `total`.
    """
    return {"total": factor * sum(int(number) for number in _NUMBER.findall(text))}
'''

PIECES = [
    "import json\n", "from os import *\n", "def f(x):\n", "    ", "class A(B):\n", "lambda *a: ",
    "x", "= ", "eval(", ")", "[", "]", "{", "}", "'", '"""', "f'{x!r:{y}}'", "#", "\\\n", "\n",
    ".__class__", "@", "match x:\n", "case A(b, c=d):\n", "try:\n", "except* E as e:\n", "yield ",
    "await ", "async ", "global x\n", "nonlocal x\n", "x += ", "x := ", "x: 'a' = ",
    "\x00", "\ud800", "\u202e", "\uff45", "10**9**9", "'{0.a}'.format(", "*", "**", "/", ", ",
    "return ", "pass\n", "del x\n",
    "while True:\n", "type X = int\n", "def g[T](a: T): pass\n",
]  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=200))
def test_no_text_makes_it_raise(text: str) -> None:
    assert isinstance(check_source(text, Tier.SANDBOX), list)


@settings(max_examples=500, deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=25).map("".join), st.sampled_from(Tier))
def test_no_pieces_of_python_make_it_raise(text: str, tier: Tier) -> None:
    findings = check_source(text, tier)
    assert findings == sorted(findings)
    lines = text.replace("\r", "\n").count("\n") + 1
    assert all(1 <= finding.line <= lines for finding in findings)


EXAMPLES = [text for rule in RULES for text in (*rule.good, *rule.bad)]


@given(st.sampled_from(EXAMPLES))
@settings(max_examples=100, deadline=None)
def test_a_wider_tier_refuses_no_more(text: str) -> None:
    codes = [{f.code for f in check_source(text, tier)} for tier in sorted(Tier)]
    assert codes[0] >= codes[1] >= codes[2]


@given(st.sampled_from(EXAMPLES), st.sampled_from(Tier))
@settings(max_examples=100, deadline=None)
def test_the_strict_profile_refuses_no_less(text: str, tier: Tier) -> None:
    if refused(check_source(text, tier)):
        assert refused(check_source(text, tier, profile=load_profile("strict")))


@given(st.sampled_from(EXAMPLES), st.sampled_from(Tier))
@settings(max_examples=100, deadline=None)
def test_an_examination_finds_what_a_check_finds(text: str, tier: Tier) -> None:
    assert list(examine(text, tier).findings) == check_source(text, tier)


def house(tmp_path: Path, changes: str) -> Profile:
    path = tmp_path / "house.toml"
    path.write_text(f"extends = 'balanced'\n{changes}", encoding="utf-8")
    return load_profile(path)


def test_a_house_makes_a_rule_stricter_or_turns_it_off(tmp_path: Path) -> None:
    text = TOOL.replace("text: str", "text: object").replace("findall(text)", "findall(str(text))")
    for level, expected in (("error", [Severity.ERROR]), ("off", [])):
        profile = house(tmp_path, f"rules.TG405 = '{level}'")
        found = check_source(text, Tier.SANDBOX, profile=profile, entry="total")
        assert [finding.severity for finding in found] == expected


def test_a_house_adds_a_module_from_a_tier_on(tmp_path: Path) -> None:
    profile = house(
        tmp_path,
        "[modules.numpy]\nexports = ['mean', 'load']\nread = ['load']\n"
        "methods = {write = ['tofile'], forbidden = ['ctypes']}",
    )
    text = "import numpy as np\ndef f(x): return np.mean(x)"
    found = check_source(text, Tier.SANDBOX, profile=profile, families=SAFETY_FAMILIES)
    assert [(f.code, f.remedy) for f in found] == [("TG101", "It takes the tier restricted.")]
    assert check_source(text, Tier.RESTRICTED, profile=profile, families=SAFETY_FAMILIES) == []
    assert examine(text, Tier.RESTRICTED, profile=profile).lowest_tier is Tier.RESTRICTED
    for bad, code in (("np.linalg", "TG102"), ("x.ctypes", "TG207")):
        text = f"import numpy as np\ndef f(x): return {bad}"
        found = check_source(text, Tier.RESTRICTED, profile=profile, families=SAFETY_FAMILIES)
        assert [f.code for f in found] == [code]
    text = "import numpy as np\ndef f(p): np.load(p).tofile(p)"
    assert examine(text, Tier.FULL, profile=profile).needs == {"read", "write"}


def test_a_house_takes_away_what_the_shipped_profile_allows(tmp_path: Path) -> None:
    profile = house(
        tmp_path,
        "[without]\nmodules = ['random']\nnames = ['os.remove', 'builtins.print']\n"
        "methods.datetime = ['now']",
    )
    for text, code in (
        ("import random", "TG101"),
        ("import os\nx = os.remove", "TG102"),
        ("def f(): print(1)", "TG201"),
        ("import datetime\ndef f(): return datetime.datetime.now()", "TG207"),
    ):
        found = check_source(text, Tier.FULL, profile=profile, families=SAFETY_FAMILIES)
        assert code in {f.code for f in found}


def test_a_smaller_limit_holds(tmp_path: Path) -> None:
    profile = house(tmp_path, "limits.max_bytes = 10")
    assert [f.code for f in check_source("x = 1" * 9, Tier.FULL, profile=profile)] == ["TG002"]


class Later(ast.expr):
    """A kind of node that a later Python may have."""

    _fields = ()


def test_syntax_that_the_gate_does_not_know_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    later = ast.Module([ast.Expr(Later(lineno=2, col_offset=0), lineno=2, col_offset=0)], [])
    monkeypatch.setattr(ast, "parse", lambda *_, **__: later)
    [finding] = check_source("x = 1", Tier.FULL)
    assert (finding.code, finding.line) == ("TG001", 2)
    assert "Later" in finding.message


@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    "text",
    [
        "x = 1\n" * 200_000,
        "\x00" * 1_000_000,
        "(" * 99_999,
        "-" * 99_999,
        "x = a" + ".b" * 49_000,
        "if a: pass\n" + "elif a: pass\n" * 7_000,
        "lambda: " * 12_000,
        "T='" + "{0.a}" * 9_000 + "'\ndef f():\n" + " T.format(1)\n" * 3_000,
        "import json as a\n" * 2_500 + "a.x\n" * 3_000,
        "N='" + ".a" * 20_000 + "'\ndef f(x):\n" + " getattr(x,N)\n" * 3_000,
        "".join(f"n{i}=n{i - 1}+n{i - 1}\n" for i in range(1, 3_000)) + "n2999.format(1)\n" * 900,
        "x='ﬁ';" + "é;" * 30_000,
        "f(" + ",".join(f"a{i}=1" for i in range(12_000)) + ")",
        "x=f'" + "{a!r:{b}}" * 11_000 + "'",
        "".join(" " * depth + "for a in range(9):\n" for depth in range(95))
        + "".join(" " * 95 + "a\n" for _ in range(900)),
        "for a in b:\n" + " for c in range(9):0\n" * 4_000,
        "import re\n" + "".join(f"re.compile('(a|b{n})*(c?)*d')\n" for n in range(2_000)),
        "import re\nre.compile('" + "[a-z]*" * 120 + "(x+x+)+y')",
        "".join(f"def f{n}(): f{n + 1}()\n" for n in range(4_000)),
        "a0 = 1\n" + "".join(f"a{n} = a{n - 1}\n" for n in range(1, 6_000)) + "a5999.x = 1\n" * 500,
        "from typing import Union\n"
        + "".join(f"A{i}=Union[A{i - 1},A{i - 1}]\n" for i in range(1, 1_500))
        + "def f(a: A1499) -> None: 0",
    ],
    ids=lambda text: text[:12],
)
def test_hostile_texts_are_answered_within_the_test_deadline(text: str) -> None:
    assert check_source(text, Tier.SANDBOX)


def test_a_tool_that_keeps_the_contract_has_no_findings() -> None:
    assert check_source(TOOL, Tier.SANDBOX, entry="total") == []


def test_contract_rules_can_be_left_out() -> None:
    text = "def tool(x): return x"
    assert {f.code for f in check_source(text, Tier.SANDBOX)} == {"TG404", "TG406"}
    assert check_source(text, Tier.SANDBOX, families=SAFETY_FAMILIES) == []
    assert check_source("import os", Tier.SANDBOX, families={Family.CONTRACT})[0].code == "TG401"


def test_text_that_is_no_python_is_refused_whatever_the_families() -> None:
    assert refused(check_source("def", Tier.FULL, families=set()))


def test_wrong_entry_and_unknown_tools_are_found() -> None:
    assert [f.code for f in check_source(TOOL, Tier.SANDBOX, entry="other")] == ["TG401"]
    text = "call_tool('known', {})\ncall_tool('unknown', {})"
    body = f"def tool():\n    {text.replace(chr(10), chr(10) + '    ')}"
    found = [f for f in check_source(body, Tier.SANDBOX, calls={"known"}) if f.code == "TG407"]
    assert [f.line for f in found] == [3]


def test_warnings_alone_do_not_refuse() -> None:
    text = TOOL.replace("text: str", "text: object").replace("findall(text)", "findall(str(text))")
    findings = check_source(text, Tier.SANDBOX, entry="total")
    assert [(f.code, f.severity) for f in findings] == [("TG405", Severity.WARNING)]
    assert not refused(findings)


@pytest.mark.parametrize(
    ("text", "line", "column"),
    [
        ("x = 1\ny = eval", 2, 5),
        ("x = 'é世', eval", 1, 11),
        ("x = 1\r\ny = eval", 2, 5),
        ("x = f'{1}{eval}'", 1, 5),
        ("def f(a: 'eval'): pass", 1, 10),
        ("x = 1\n\n]", 3, 1),
        ("a = 1\nb = '\u200b'", 2, 6),
        ("try: pass\nexcept E: pass", 2, 8),
    ],
)
def test_places_are_lines_and_characters(text: str, line: int, column: int) -> None:
    codes = ("TG201", "TG001", "TG004")
    found = [f for f in check_source(text, Tier.SANDBOX) if f.code in codes]
    assert (found[0].line, found[0].column) == (line, column)


def test_findings_sort_by_place_and_render_on_one_line() -> None:
    first = Finding("TG201", Severity.ERROR, 2, 5, 2, "the name 'eval' is bad", "Do.")
    second = Finding("TG101", Severity.ERROR, 3, 1, 3, "tools may not import 'os'", "Do not.")
    assert sorted([second, first]) == [first, second]
    assert first.render("a/b.py") == "a/b.py:2:5: TG201 the name 'eval' is bad"
    assert second.to_json() == {
        "code": "TG101",
        "severity": "error",
        "line": 3,
        "column": 1,
        "end_line": 3,
        "message": "tools may not import 'os'",
        "remedy": "Do not.",
    }


@pytest.mark.parametrize("text", ["x._\x1b[31m", "import \u202e", "x = '\x9b'", f"x.{'a' * 9000}"])
def test_messages_show_no_control_characters_and_stay_short(text: str) -> None:
    for finding in check_source(text, Tier.SANDBOX):
        assert finding.message.isprintable()
        assert len(finding.message) < 400


def test_an_odd_escape_is_no_reason_to_refuse() -> None:
    assert check_source("x = '\\d'", Tier.SANDBOX, families=SAFETY_FAMILIES) == []
