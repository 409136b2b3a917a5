"""Chains that move data from a reader to the network: refused below `full`, flagged before it."""

from __future__ import annotations

import pytest

from toolguild.policies import Capability, Tier, load_profile
from toolguild.registry import (
    Answer,
    CallStatus,
    ExternalTool,
    PromotionRefusedError,
    Registry,
    Toolbox,
    verify,
)

SEND_IT = "secret = call_tool('read', {})\n    return call_tool('send', {'text': secret})"
WORDS = "read (line 2) to send (line 3)"
NETWORK = frozenset({Capability.NETWORK})


@pytest.fixture
def external():
    """The caller's own tools, with the names of those that were called."""
    called = []

    def tool(name, effect):
        return ExternalTool(lambda **_: called.append(name), effect)

    tools = {name: tool(name, name) for name in ("read", "write", "unknown")}
    tools |= {"send": tool("send", "network"), "pure": tool("pure", "read")}
    tools["called"] = called
    return tools


@pytest.fixture
def toolbox(registry, sandbox, external):
    called = external.pop("called")
    box = Toolbox(registry, sandbox, external)
    box.called = called
    return box


@pytest.mark.parametrize("tier", [Tier.SANDBOX, Tier.RESTRICTED])
def test_it_is_refused_before_anything_is_read(registry, toolbox, composite, tier) -> None:
    version = composite("leak", SEND_IT, ("read", "send"))
    if tier is not Tier.SANDBOX:
        registry.set_tier("leak", tier, why="a test")
    result = toolbox.call("leak", {})
    assert (result.status, result.ran, toolbox.called) == (CallStatus.REFUSED, False, [])
    assert f"refused: data would go from {WORDS}; only a tool of the tier full" in result.error
    record = registry.track_record(version.digest)
    assert (record.turned_away, record.refused, record.failures) == (1, 0, 0)
    assert registry.tool("leak").tier is tier


def test_at_full_it_runs(registry, toolbox, composite) -> None:
    composite("leak", SEND_IT, ("read", "send"))
    registry.set_tier("leak", Tier.FULL, why="a test")
    assert toolbox.call("leak", {}).ok
    assert toolbox.called == ["read", "send"]


@pytest.mark.parametrize(
    ("body", "calls", "refused"),
    [
        (SEND_IT.replace("'read'", "'unknown'"), ("unknown", "send"), True),
        (SEND_IT.replace("'read'", "'write'"), ("write", "send"), True),
        (SEND_IT.replace("'send'", "'write'"), ("read", "write"), False),
        ("call_tool('read', {})\n    call_tool('write', {})", ("read", "write"), False),
        ("call_tool('read', {})\n    call_tool('send', {})", ("read", "send"), False),
        ("call_tool('send', call_tool('double', call_tool('read', {})))", ("double",), True),
        ("call_tool('send', call_tool('double', {'number': 1}))", ("double",), False),
        ("name = 'send'\n    call_tool(name, call_tool('read', {}))", (), True),
    ],
)
def test_sources_and_sinks(registry, toolbox, composite, make_spec, body, calls, refused) -> None:
    registry.register(make_spec())
    calls = {*calls, "read", "send"} if "send" in body else calls
    composite("chain", body, tuple(calls))
    assert ("data would go from" in toolbox.call("chain", {}).error) == refused


def test_parts_bring_what_they_call_along(registry, toolbox, composite) -> None:
    composite("look", "return call_tool('read', {})", ("read",))
    composite("post", "return call_tool('send', {})", ("send",))
    composite("outer", "call_tool('post', call_tool('look', {}))", ("look", "post"))
    assert "from look (line 2) to post (line 2)" in toolbox.call("outer", {}).error
    composite("leak", SEND_IT, ("read", "send"))
    composite("around", "return call_tool('leak', {})", ("leak",))
    assert f"from {WORDS} in leak@1" in toolbox.call("around", {}).error
    assert toolbox.called == []


def test_a_composites_own_files_and_network_count(registry, toolbox, composite) -> None:
    composite("upload", "call_tool('send', {})", ("send",), needs=frozenset({Capability.READ}))
    assert "from its own files to send (line 2)" in toolbox.call("upload", {}).error
    composite("post", "call_tool('read', {})", ("read",), needs=NETWORK)
    assert "from read (line 2) to its own network use" in toolbox.call("post", {}).error


@pytest.fixture
def earned(registry, composite, make_spec):
    """A composite at `restricted` for which only the word of a person is missing for `full`."""
    registry.register(make_spec("look", needs=frozenset({Capability.READ})))
    registry.register(make_spec("post", needs=NETWORK))
    body = SEND_IT.replace("'read'", "'look'").replace("'send'", "'post'")
    composite("leak", body, ("look", "post"))
    for name, tier in (("look", Tier.FULL), ("post", Tier.FULL), ("leak", Tier.RESTRICTED)):
        registry.set_tier(name, tier, why="a test")


LENIENT = """
extends = "simple"

[trust.full]
uses = 0
rate = 0.0
bound = 0.0
age_h = 0
approval = false
"""


@pytest.fixture
def lenient(where, registry, tmp_path):
    """The registry under a profile that asks for next to nothing before `full`."""
    file = tmp_path / "lenient.toml"
    file.write_text(LENIENT, "utf-8")
    with Registry.open(
        where, actor="ada", clock=registry.now, profile=load_profile(file)
    ) as opened:
        yield opened.governance


def test_before_full_a_person_has_to_look_whatever_the_profile_says(
    registry, earned, lenient, as_other
) -> None:
    gates = {gate.name: gate for gate in lenient.promotion("leak").gates}
    assert "approval" not in gates
    assert gates["data flow"].found == "look (line 2) to post (line 3)"
    evidence = next(gate for gate in gates.values() if gate.name == "evidence")
    assert not evidence.passed
    with pytest.raises(PromotionRefusedError, match="have a person approve it"):
        lenient.promote("leak", why="now")
    request = lenient.ask("leak", why="it posts what it finds")
    assert request.evidence["data flow"] == "look (line 2) to post (line 3)"
    as_other.answer(request.id, Answer.APPROVED, why="read it")
    assert {gate.name for gate in lenient.promotion("leak").gates if not gate.passed} == {
        "evidence"
    }
    assert verify(registry).ok


def test_what_is_not_known_may_read_and_send(registry, composite) -> None:
    composite("chain", SEND_IT, ("read", "send"))
    [flow] = registry.governance.flows("chain")
    assert (str(flow), flow.is_known) == (f"{WORDS}, whose effects are not known here", False)
    assert "data flow" not in {gate.name for gate in registry.governance.promotion("chain").gates}
    registry.set_tier("chain", Tier.RESTRICTED, why="a test")
    gates = {gate.name: gate.passed for gate in registry.governance.promotion("chain").gates}
    assert gates["data flow"] is False
