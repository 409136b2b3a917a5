"""When the wall stands, and what the host hears of it."""

from __future__ import annotations

import pytest

from toolguild.policies import Capability, Tier
from toolguild.sandbox import Program, Sandbox, Status

USES_OS = "import os\ndef tool():\n    return len(os.environ) > 0"


def test_it_stands_in_the_sandbox_tier_only(sandbox: Sandbox) -> None:
    outcomes = {tier: sandbox.run(Program(USES_OS, "tool"), {}, tier=tier) for tier in Tier}
    assert outcomes[Tier.SANDBOX].status is Status.REFUSED
    assert outcomes[Tier.RESTRICTED].value is True
    assert outcomes[Tier.FULL].value is True


def test_a_program_may_be_given_the_isolation_alone(sandbox: Sandbox) -> None:
    program = Program(USES_OS, "tool", walled=False)
    assert sandbox.run(program, {}, tier=Tier.SANDBOX).value is True


def test_a_text_that_asks_for_too_much_is_refused_before_it_runs(sandbox: Sandbox) -> None:
    source = "print('runs')\n" + USES_OS
    outcome = sandbox.run(Program(source, "tool"), {}, tier=Tier.SANDBOX)
    assert (outcome.status, outcome.stdout) == (Status.REFUSED, "")
    assert outcome.error == (
        "The wall refuses the program: line 4: the attribute `environ` is out of reach."
    )


def test_what_is_refused_while_it_runs_is_an_error_of_the_program(sandbox: Sandbox) -> None:
    source = "def tool():\n    name = '__glo' + 'bals__'\n    return getattr(tool, name)"
    outcome = sandbox.run(Program(source, "tool"), {}, tier=Tier.SANDBOX)
    assert outcome.status is Status.ERROR
    assert outcome.error == ("RefusedError: line 3: the attribute `__globals__` is out of reach.")


@pytest.mark.parametrize("letter", ["r", "p"])
def test_a_program_cannot_claim_to_have_been_refused(sandbox: Sandbox, letter: str) -> None:
    # Refusals are no evidence against a tool: one that fails may want to be taken for refused.
    source = f"import os\ndef tool():\n    os.write(3, b'{letter}\\0\\0\\0\\x02no')\n    return 1"
    outcome = sandbox.run(Program(source, "tool", walled=False), {}, tier=Tier.SANDBOX)
    assert outcome.status is Status.KILLED


@pytest.mark.parametrize(
    ("source", "error"),
    [
        ("def tool(:", "SyntaxError: "),
        ("def tool(): return missing", "NameError: name 'missing' is not defined"),
        ("class E(Exception): pass\ndef tool(): raise E('mine')", "E: mine"),
        ("other = 1", "NameError: the program defines no 'tool'"),
        ("def tool(): return tool()", "RecursionError: "),
        ("def tool(): return math.pi\nimport math\ndel math", "NameError: name 'math'"),
        ("def tool(): return " + "-" * 5000 + "1", ""),
    ],
)
def test_errors_keep_their_types(sandbox: Sandbox, source: str, error: str) -> None:
    outcome = sandbox.run(Program(source, "tool"), {}, tier=Tier.SANDBOX)
    assert outcome.status in (Status.ERROR, Status.MEMORY)
    assert outcome.error.startswith(error), outcome.error


def test_calls_of_other_tools_pass_the_wall(sandbox: Sandbox) -> None:
    source = """
def tool(n):
    try:
        call_tool("fail", {})
    except ToolCallError as error:
        return [call_tool("double", {"n": n}), type(error).__name__]
"""

    def gateway(name, arguments):
        if name == "fail":
            from toolguild.sandbox import ToolCallError

            raise ToolCallError("out of order")
        return arguments["n"] * 2

    outcome = sandbox.run(Program(source, "tool"), {"n": 4}, tier=Tier.SANDBOX, tools=gateway)
    assert outcome.value == [8, "ToolCallError"], outcome


def test_no_run_sees_what_another_did_to_its_wall(sandbox: Sandbox) -> None:
    source = """
import json, typing
from functools import singledispatch
@singledispatch
def kind(value): return getattr(kind, "calls", 0)
def tool():
    kind_of = [json.JSONEncoder().encode([1]), kind(1)]
    class Own: pass
    Own.x = 1
    return [kind_of, Own.x, typing.Optional[int] is not None]
"""
    program = Program(source, "tool")
    first, second = (sandbox.run(program, {}, tier=Tier.SANDBOX) for _ in range(2))
    assert first.value == second.value == [["[1]", 0], 1, True]


@pytest.mark.parametrize(
    ("source", "status", "wanted"),
    [
        ("from os import listdir\ndef tool(): return 1", Status.REFUSED, {Capability.READ}),
        ("import urllib.request\ndef tool(): return 1", Status.REFUSED, {Capability.NETWORK}),
        (
            "from pathlib import Path\ndef tool(): Path('x').unlink(); Path('x').stat()",
            Status.REFUSED,
            {Capability.READ, Capability.WRITE},
        ),
        ("def tool(): open('x')", Status.ERROR, {Capability.READ}),
        ("def tool(): open('x', 'w')", Status.ERROR, {Capability.WRITE}),
        ("import os\ndef tool(): os.remove('x')", Status.ERROR, {Capability.WRITE}),
        ("import pathlib\ndef tool(): pathlib.Path.cwd()", Status.ERROR, {Capability.READ}),
        (
            "import pathlib\ndef tool(): getattr(pathlib.Path('x'), 'un' + 'link')",
            Status.ERROR,
            {Capability.WRITE},
        ),
        (
            "def tool():\n    try: open('x')\n    except Exception: return 'quiet'",
            Status.OK,
            {Capability.READ},
        ),
        # Refused, but not for want of a capability.
        ("def tool(): return tool.__globals__", Status.REFUSED, set()),
        ("import pathlib\ndef tool(): return pathlib.Path('x').name", Status.OK, set()),
    ],
)
def test_what_is_refused_for_want_of_a_capability_is_an_effect(
    sandbox: Sandbox, source: str, status: Status, wanted: set[Capability]
) -> None:
    outcome = sandbox.run(Program(source, "tool"), {}, tier=Tier.SANDBOX)
    assert (outcome.status, outcome.effects) == (status, wanted), outcome.error


def test_a_program_that_claims_an_effect_only_adds_one(sandbox: Sandbox) -> None:
    source = """
import sys
def tool():
    for what in ("network", "nothing", "read" * 9):
        sys.audit("toolguild.lacking", what)
    sys.audit("toolguild.lacking")
    return open("/dev/zero", "rb") is not None
"""
    claims = sandbox.run(Program(source, "tool", walled=False), {}, tier=Tier.SANDBOX)
    assert (claims.value, claims.effects) == (True, {Capability.NETWORK})
