"""Trust from the command line: gates, promotions, approvals, demotions, history and diffs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from toolguild.policies import Tier
from toolguild.registry import CallStatus, ExternalTool, Registry, Toolbox, ToolSpec, Use
from toolguild.sandbox import open_sandbox

INTEGER = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}
TEXT = {"type": "object", "properties": {"n": {"type": "string"}}, "required": ["n"]}
EVIDENCE = {"adequacy": {"mutants": 8, "killed": 8}, "thin": [], "cases": 5, "inputs": 100}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A registry with two versions of `twice`, the second of which has been used 13 times."""
    where = tmp_path / "tools.db"
    with Registry.open(where, actor="ada") as registry:
        for times, parameters in (("2", TEXT), ("2.0", INTEGER)):
            source = f'def twice(n: int) -> int:\n    """Twice n."""\n    return {times} * n\n'
            spec = ToolSpec("twice", "Twice n.", source, parameters, {"type": "number"})
            registry.register(spec, evidence=EVIDENCE)
    use(where, 13)
    return where


def use(where: Path, count: int, *, success: bool = True) -> None:
    with Registry.open(where) as registry:
        version = registry.tool("twice")
        first = len(registry.uses(version.digest))
        for number in range(first, first + count):
            status = CallStatus.OK if success else CallStatus.ERROR
            at = registry.now()
            one = Use(version.digest, f"sha256:{number}", status, 0.1, at, tier=version.tier)
            registry.record(one)


def as_user(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    for variable in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.setenv(variable, name)


def test_a_promotion_shows_its_gates_and_what_is_missing(toolguild: Any, path: Path) -> None:
    promote = ["tools", "promote", "twice", "--registry", path]
    ran = toolguild(*promote, "--dry-run")
    assert ran.code == 1
    [line] = [line for line in ran.out.splitlines() if line.startswith("lower bound")]
    assert "closed" in line
    assert line.endswith("needs 7 more clean, distinct uses")
    assert "twice@2 has not earned restricted" in ran.err
    use(path, 7)
    assert toolguild(*promote, "--dry-run").code == 0
    told = toolguild(*promote, "--why", "earned", "--json").json
    assert (told["promoted"], told["target"]) == (True, "restricted")
    assert all(gate["open"] for gate in told["gates"])
    shown = toolguild("tools", "list", "--registry", path, "--json").json["tools"]
    assert [tool["tier"] for tool in shown] == ["restricted"]


def test_full_trust_is_asked_for_by_one_and_given_by_another(
    toolguild: Any, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("toolguild.toml").write_text("[profile]\ntrust.full.age_h = 0\n")
    as_user(monkeypatch, "ada")
    promote = ["tools", "promote", "twice", "--registry", path]
    use(path, 7)
    assert toolguild(*promote).code == 0
    use(path, 43)
    ran = toolguild(*promote, "--why", "posts reports")
    assert (ran.code, "Asked for approval: request 1" in ran.err) == (1, True)
    answer = ["approvals", "approve", "1", "--registry", path]
    own = toolguild(*answer)
    assert (own.code, "somebody else has to answer it" in own.err) == (1, True)
    listed = toolguild("approvals", "list", "--registry", path).out
    assert "twice@2" in listed
    assert "posts reports" in listed
    shown = toolguild("approvals", "show", "1", "--registry", path, "--json").json
    assert (shown["asked by"], shown["found then"]["uses"]) == ("ada", "43")
    as_user(monkeypatch, "grace")
    assert toolguild(*answer, "--why", "read it").code == 0
    assert toolguild(*promote).code == 0
    assert toolguild(*promote).code == 1  # nothing is above
    assert "Nothing waits" in toolguild("approvals", "list", "--registry", path).err
    history = toolguild("tools", "history", "twice", "--registry", path, "--json").json["history"]
    told = [(row["actor"], row["action"]) for row in history if row["ref"] == "twice@2"]
    assert told[-3:] == [("ada", "ask"), ("grace", "approve"), ("grace", "promote")]
    assert toolguild("audit", "verify", "--registry", path).code == 0


def test_denied_is_denied_and_an_override_takes_a_reason(toolguild: Any, path: Path) -> None:
    promote = ["tools", "promote", "twice", "--registry", path, "--override"]
    assert (toolguild(*promote).code, toolguild(*promote, "--why", "urgent").code) == (2, 0)
    out = toolguild("tools", "history", "twice", "--registry", path).out
    assert "override" in out
    assert "urgent" in out


def test_why_explains_where_a_tool_stands(toolguild: Any, path: Path) -> None:
    out = toolguild("tools", "why", "twice", "--registry", path).out
    assert out.splitlines()[0] == "twice@2 is active, at sandbox"
    assert "register by ada" in out
    assert "missing: needs 7 more clean, distinct uses" in out
    use(path, 16, success=False)
    out = toolguild("tools", "why", "twice", "--registry", path).out
    assert out.splitlines()[0] == "twice@2 is quarantined, at sandbox"
    assert "of its last 29 distinct uses failed; its tier asks for 50%" in out
    told = toolguild("tools", "why", "twice", "--registry", path, "--json").json
    assert (told["state"], told["since"]["action"], told["next"]) == (
        "quarantined",
        "quarantine",
        None,
    )


def test_a_demotion_needs_no_reason_and_a_rollback_brings_the_tier_back(
    toolguild: Any, path: Path
) -> None:
    with Registry.open(path) as registry:
        registry.set_tier("twice@1", Tier.RESTRICTED, why="a test")
        registry.set_tier("twice@2", Tier.FULL, why="a test")
    demote = ["tools", "demote", "twice", "--registry", path]
    assert "twice@2 is active, at restricted now" in toolguild(*demote, "--to", "restricted").err
    refused = toolguild(*demote, "--to", "restricted")
    assert (refused.code, "not above restricted" in refused.err) == (1, True)
    assert toolguild(*demote, "--to", "quarantine", "--json").json["state"] == "quarantined"
    back = toolguild("tools", "rollback", "twice", "--registry", path, "--why", "it broke")
    assert (back.code, "twice@1 is active, at restricted now" in back.err) == (0, True)
    again = toolguild("tools", "rollback", "twice", "--registry", path)
    assert (again.code, "twice means twice@1" in again.err) == (1, True)


def test_a_review_promotes_what_has_earned_it(toolguild: Any, path: Path) -> None:
    review = ["tools", "review", "--registry", path]
    assert "No tool has earned" in toolguild(*review).err
    use(path, 7)
    assert "twice@2 is at restricted now" in toolguild(*review).err
    nothing: dict[str, list[Any]] = {"admitted": [], "promoted": [], "waiting": []}
    assert toolguild(*review, "--json").json == nothing


def test_a_diff_shows_code_and_marks_what_breaks_callers(toolguild: Any, path: Path) -> None:
    out = toolguild("tools", "diff", "twice@1", "twice@2", "--registry", path).out
    assert "-    return 2 * n" in out
    assert "+    return 2.0 * n" in out
    assert "breaking: parameters.n takes something else" in out
    assert "0 of 0" in out
    assert "13 of 13" in out
    told = toolguild("tools", "diff", "twice@1", "twice@2", "--registry", path, "--json").json
    assert told["schema"][0]["breaking"] is True
    same = toolguild("tools", "diff", "twice@2", "twice@2", "--registry", path)
    assert "The code is the same" in same.out


@pytest.mark.parametrize(
    "command",
    [
        ["tools", "promote", "twice"],
        ["tools", "demote", "twice"],
        ["tools", "why", "twice"],
        ["tools", "history", "twice"],
        ["tools", "review"],
        ["approvals", "list"],
    ],
)
def test_nothing_is_made_where_there_is_no_registry(
    toolguild: Any, tmp_path: Path, command: list[str]
) -> None:
    missing = tmp_path / "none.db"
    for where in (missing, f"sqlite:///{missing}"):
        ran = toolguild(*command, "--registry", where)
        assert (ran.code, "there is no registry" in ran.err) == (2, True)
        assert not missing.exists()


def test_what_is_not_there_is_said(toolguild: Any, path: Path) -> None:
    ran = toolguild("tools", "why", "twise", "--registry", path)
    assert (ran.code, "did you mean twice" in ran.err) == (2, True)
    ran = toolguild("approvals", "show", "7", "--registry", path)
    assert (ran.code, "there is no request 7" in ran.err) == (2, True)


ACT = """def act(card: str) -> str:
    note = call_tool("look", {"card": card})  # \x1b[31mred\u2028
    return call_tool("charge", {"card": card, "note": note})
"""


CARD = {"type": "object", "properties": {"card": {"type": "string"}}}


@pytest.fixture
def refused(tmp_path: Path) -> Path:
    """A registry whose tool was refused a charge three times."""
    where = tmp_path / "tools.db"
    tools = {
        "look": ExternalTool(lambda card: "note", "read"),
        "charge": ExternalTool(lambda card, note: "done", "write"),
    }
    with Registry.open(where, actor="ada") as registry, open_sandbox("local", size=1) as sandbox:
        spec = ToolSpec("act", "Charge.", ACT, CARD, {}, calls=("look", "charge"))
        registry.register(spec)
        toolbox = Toolbox(registry, sandbox, tools, task="task-7")
        for number in range(3):
            assert not toolbox.call("act", {"card": str(number)}).ok
    return where


def test_what_a_tool_asks_for_is_shown_with_its_line_and_evidence(
    toolguild: Any, refused: Path
) -> None:
    listed = toolguild("approvals", "list", "--registry", refused).out
    assert "write, line 3" in listed
    shown = toolguild("approvals", "show", "1", "--registry", refused)
    assert 'line 3: return call_tool("charge", {"card": card, "note": note})' in shown.out
    told = toolguild("approvals", "show", "1", "--registry", refused, "--json").json["escalation"]
    assert (told["effect"], told["calls"], told["times"]) == ("write", "charge", 3)
    assert (told["task"], told["called by"], told["data flow"]) == ("task-7", "ada", [])


def test_shown_lines_of_a_tool_cannot_steer_the_terminal(toolguild: Any, tmp_path: Path) -> None:
    where = tmp_path / "tools.db"
    source = ACT.replace('"charge",', '"look",')
    with Registry.open(where) as registry, open_sandbox("local", size=1) as sandbox:
        spec = ToolSpec("act", "Look.", source, CARD, {}, calls=("look",))
        registry.register(spec)
        tools = {"look": ExternalTool(lambda card: 1, "write")}
        Toolbox(registry, sandbox, tools).call("act", {"card": "1"})
    shown = toolguild("approvals", "show", "1", "--registry", where).out
    assert "line 2: note = " in shown
    assert "\x1b[31m" not in shown


def test_an_approved_escalation_tells_the_next_command(
    toolguild: Any, refused: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    promote = ["tools", "promote", "act", "--registry", refused]
    ran = toolguild(*promote, "--dry-run")
    assert "Request 1, by tool act@1, waits for an answer: it calls charge" in ran.err
    assert "3 times since" in ran.err
    as_user(monkeypatch, "ada")
    ran = toolguild("approvals", "approve", "1", "--registry", refused)
    assert (ran.code, "more clean, distinct uses" in ran.err) == (0, True)
    assert "`toolguild tools promote act@1 --override --why 'request 1'`" in ran.err
    assert "Request 1, by tool act@1, approved" in toolguild(*promote).err
    assert toolguild(*promote, "--json").json["requests"] == [1]
    assert toolguild(*promote, "--override", "--why", "request 1").code == 0
    history = toolguild("tools", "history", "act", "--registry", refused).out
    assert "request 1, for restricted" in history
    assert toolguild("audit", "verify", "--registry", refused).code == 0


def test_a_flow_to_the_network_is_named_before_full(toolguild: Any, refused: Path) -> None:
    with Registry.open(refused) as registry:
        registry.set_tier("act", Tier.RESTRICTED, why="a test")
    words = "look (line 2) to charge (line 3)"
    for command in (["tools", "promote", "act", "--dry-run"], ["tools", "why", "act"]):
        out = toolguild(*command, "--registry", refused).out
        [line] = [line for line in out.splitlines() if line.startswith("data flow")]
        assert "closed" in line
        assert words in line
    with Registry.open(refused) as registry:
        registry.set_tier("act", Tier.FULL, why="a test")
    assert (
        f"data can go from {words}" in toolguild("tools", "why", "act", "--registry", refused).out
    )
