"""What `check_source` answers, for any text."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from toolguild.policies import Tier
from toolguild.synth.validation.static import (
    RULES,
    SAFETY_FAMILIES,
    Family,
    Finding,
    Severity,
    check_source,
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


@given(st.sampled_from([text for rule in RULES for text in (*rule.good, *rule.bad)]))
@settings(max_examples=100, deadline=None)
def test_a_wider_tier_refuses_no_more(text: str) -> None:
    codes = [{f.code for f in check_source(text, tier)} for tier in sorted(Tier)]
    assert codes[0] >= codes[1] >= codes[2]


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
