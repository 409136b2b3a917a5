import time
from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, given, settings, strategies

from toolguild.policies import Capability, Tier
from toolguild.registry import CallStatus, ExternalTool, Record, State, Toolbox, ToolVersion
from toolguild.registry.effects import standing
from toolguild.registry.gates import Budget, Call, OnlyActive
from toolguild.registry.gateway import MAX_CALLS, MAX_DEPTH, CompositeGateway
from toolguild.sandbox import Limits, SandboxUnavailableError, ToolCallError


class Tools:
    """The caller's own tools, which note how they were called."""

    def __init__(self):
        self.calls = []

    def of(self, effect, answer=None, **fields):
        def function(**arguments):
            self.calls.append(arguments)
            if isinstance(answer, Exception):
                raise answer
            return answer

        return ExternalTool(function, effect, **fields)


@pytest.fixture
def real():
    return Tools()


def test_composite_reads_through_the_callers_tools(registry, sandbox, composite, real):
    version = composite("look", "return call_tool('fetch', {'id': 7})['name']", ("fetch",))
    toolbox = Toolbox(registry, sandbox, {"fetch": real.of("read", {"name": "Ada"})})
    result = toolbox.call("look", {})
    assert result.value == "Ada"
    assert real.calls == [{"id": 7}]
    assert result.effects == {Capability.READ}
    assert registry.track_record(version.digest).successes == 1


@pytest.mark.parametrize(
    ("answer", "value"),
    [
        ('{"name": "Ada"}', {"name": "Ada"}),
        ("[1, 2]", [1, 2]),
        ("plain words", "plain words"),
        ("NaN", "NaN"),
        (("a", 1), ["a", 1]),
        (None, None),
    ],
)
def test_answers_of_external_tools_are_decoded_where_they_are_json(
    registry, sandbox, composite, real, answer, value
):
    composite("look", "return call_tool('fetch', {})", ("fetch",))
    result = Toolbox(registry, sandbox, {"fetch": real.of("read", answer)}).call("look", {})
    assert result.value == value


ALLOWED = {
    "read": {Tier.SANDBOX, Tier.RESTRICTED, Tier.FULL},
    "write": {Tier.RESTRICTED, Tier.FULL},
    "unknown": {Tier.RESTRICTED, Tier.FULL},
    "network": {Tier.FULL},
}


@pytest.mark.parametrize("tier", Tier)
@pytest.mark.parametrize("effect", ALLOWED)
def test_effects_of_external_tools_need_the_tier(registry, sandbox, composite, real, tier, effect):
    version = composite("act", "return call_tool('fetch', {})", ("fetch",))
    registry.set_tier("act", tier, why="test")
    result = Toolbox(registry, sandbox, {"fetch": real.of(effect, 1)}).call("act", {})
    assert bool(real.calls) == result.ok == (tier in ALLOWED[effect])
    assert result.effects == {Capability("write" if effect == "unknown" else effect)}
    if not result.ok:
        assert result.status is CallStatus.REFUSED
        assert "ToolCallError: refused: fetch needs" in result.error
        assert f"not allowed in tier {tier.value}" in result.error
        # No evidence against the tool, which may still earn the tier.
        record = registry.track_record(version.digest)
        assert (record.runs, record.refused) == (0, 1)


def test_composite_may_go_on_after_a_refused_call(registry, sandbox, composite, real):
    body = (
        "try:\n        return call_tool('save', {})\n"
        "    except ToolCallError as error:\n        return str(error)"
    )
    composite("act", body, ("save",))
    result = Toolbox(registry, sandbox, {"save": real.of("write")}).call("act", {})
    assert result.ok
    assert result.value == "refused: save needs write, not allowed in tier sandbox"
    assert real.calls == []


def test_undeclared_tools_cannot_be_called(registry, sandbox, composite, real, make_spec):
    registry.register(make_spec())
    version = composite("sneak", "return call_tool('fetch', {})", ("other",))
    composite("peek", "return call_tool('double', {'number': 1})", ("other",))
    toolbox = Toolbox(registry, sandbox, {"fetch": real.of("read"), "other": real.of("read")})
    result = toolbox.call("sneak", {})
    assert result.status is CallStatus.ERROR
    assert "refused: sneak does not declare that it calls 'fetch'" in result.error
    assert registry.track_record(version.digest).failures == 1
    assert not toolbox.call("peek", {}).ok
    assert real.calls == []


def test_a_tool_that_declares_no_calls_gets_no_gateway(registry, sandbox, composite, real):
    composite("sneak", "return call_tool('fetch', {})", ())
    result = Toolbox(registry, sandbox, {"fetch": real.of("read")}).call("sneak", {})
    assert result.error == "ToolCallError: no tools"


def test_failures_of_external_tools_reach_the_composite(registry, sandbox, composite, real):
    composite("look", "return call_tool('fetch', {})", ("fetch",))
    tools = {"fetch": real.of("read", KeyError("no such user"))}
    result = Toolbox(registry, sandbox, tools).call("look", {})
    assert result.status is CallStatus.ERROR
    assert result.error == "ToolCallError: KeyError: 'no such user'"


def test_answers_that_are_no_json_fail_the_call(registry, sandbox, composite, real):
    composite("look", "return call_tool('fetch', {})", ("fetch",))
    result = Toolbox(registry, sandbox, {"fetch": real.of("read", {1, 2})}).call("look", {})
    assert "fetch returned what is not a JSON value" in result.error


def test_arguments_of_external_tools_are_checked(registry, sandbox, composite, real):
    schema = {"type": "object", "properties": {"id": {"type": "integer"}}, "required": ["id"]}
    fetch = real.of("read", 1, parameters=schema)
    composite("look", "return call_tool('fetch', {'id': '7'})", ("fetch",))
    composite("list", "return call_tool('fetch', [1])", ("fetch",))
    composite("nan", "return call_tool('fetch', {'id': float('nan')})", ("fetch",))
    toolbox = Toolbox(registry, sandbox, {"fetch": fetch})
    assert "fetch arguments.id: '7' is not of type 'integer'" in toolbox.call("look", {}).error
    assert "arguments: not a JSON object" in toolbox.call("list", {}).error
    assert "arguments: not a JSON value" in toolbox.call("nan", {}).error
    assert real.calls == []


def test_missing_tools_fail_the_call(registry, sandbox, composite):
    composite("look", "return call_tool('fetch', {})", ("fetch",))
    result = Toolbox(registry, sandbox).call("look", {})
    assert "no tool named 'fetch' is available" in result.error


def test_registered_tools_are_run_and_recorded_for_a_composite(
    registry, sandbox, composite, make_spec
):
    inner = registry.register(make_spec()).version
    composite("quad", "return call_tool('double', call_tool('start', {}))", ("double", "start"))
    toolbox = Toolbox(
        registry,
        sandbox,
        {"start": ExternalTool(lambda: {"number": 3}, "read")},
        task="task-1",
    )
    assert toolbox.call("quad", {}).value == 6
    assert [entry for entry, _, _ in sandbox.runs] == ["quad", "double"]
    (use,) = registry.uses(inner.digest)
    assert (use.status, use.task) == (CallStatus.OK, "task-1")


def test_gates_hold_for_tools_inside_composites(registry, sandbox, composite, make_spec):
    inner = registry.register(make_spec()).version
    composite("wrong", "return call_tool('double', {'number': 'x'})", ("double",))
    toolbox = Toolbox(registry, sandbox)
    assert "arguments.number: 'x' is not of type 'integer'" in toolbox.call("wrong", {}).error
    registry.set_state("double", State.QUARANTINED, why="test")
    assert "double@1 is quarantined and cannot be called" in toolbox.call("wrong", {}).error
    assert registry.track_record(inner.digest).turned_away == 2


def test_callers_tools_go_before_registered_ones_of_the_same_name(
    registry, sandbox, composite, real, make_spec
):
    registry.register(make_spec("fetch"))
    composite("look", "return call_tool('fetch', {'number': 1})", ("fetch",))
    result = Toolbox(registry, sandbox, {"fetch": real.of("read", "real")}).call("look", {})
    assert result.value == "real"


def test_composite_stands_no_higher_than_the_tools_inside_it(
    registry, sandbox, composite, real, make_spec
):
    composite("outer", "return call_tool('save', {})", ("middle", "save"))
    composite("middle", "return call_tool('double', {})", ("double", "outer"))
    registry.register(make_spec())
    for name in ("outer", "middle", "double"):
        registry.set_tier(name, Tier.FULL, why="test")
    toolbox = Toolbox(registry, sandbox, {"save": real.of("write", 1)})
    assert toolbox.call("outer", {}).ok
    # A new version of the innermost tool starts in the sandbox tier, and takes the outer along.
    registry.register(make_spec(description="Newer."))
    assert toolbox.call("outer", {}).status is CallStatus.REFUSED
    assert len(real.calls) == 1
    find = {version.spec.name: version for version in registry.tools()}.get
    assert standing(registry.tool("outer"), find) is Tier.SANDBOX
    # A part of it is another one: what they have earned, they have earned with the one before.
    assert {version.tier for version in registry.tools()} == {Tier.SANDBOX}


def test_tools_inside_run_no_higher_than_the_composite(
    registry, sandbox, composite, real, make_spec
):
    composite("inner", "return call_tool('save', {})", ("save",))
    registry.set_tier("inner", Tier.FULL, why="test")
    composite("outer", "return call_tool('inner', {})", ("inner",))
    toolbox = Toolbox(registry, sandbox, {"save": real.of("write", 1)})
    result = toolbox.call("outer", {})
    assert result.status is CallStatus.REFUSED
    assert "not allowed in tier sandbox" in result.error
    assert result.effects == {Capability.WRITE}
    assert real.calls == []
    assert toolbox.call("inner", {}).ok


JSON_LIKE = strategies.recursive(
    strategies.none()
    | strategies.booleans()
    | strategies.integers()
    | strategies.floats()
    | strategies.text(strategies.characters(exclude_categories=())),
    lambda inner: strategies.lists(inner) | strategies.dictionaries(strategies.text(), inner),
)
ANY_NAME = strategies.sampled_from(["fetch", "other", "Fetch", "fetch@1"]) | strategies.text()
ANY_ID = strategies.integers().map(lambda number: {"id": number}) | JSON_LIKE


@given(ANY_NAME, ANY_ID)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_only_declared_tools_are_called_and_only_as_their_schema_says(make_spec, name, arguments):
    schema = {"type": "object", "properties": {"id": {"type": "integer"}}, "required": ["id"]}
    calls = []
    tools = {
        name: ExternalTool(lambda **given: calls.append(given), "read", parameters=schema)
        for name in ("fetch", "other")
    }
    spec = make_spec(calls=("fetch", "missing"))
    version = ToolVersion(spec, 1, Tier.SANDBOX, State.ACTIVE, datetime.now(UTC))
    call = Call(version, {}, Tier.SANDBOX, Budget(30, MAX_CALLS))
    gateway = CompositeGateway(call, external=tools, find=lambda name: None, gate=OnlyActive(None))
    try:
        assert gateway(name, arguments) is None
    except ToolCallError as error:
        assert str(error)
        assert calls == []
    else:
        assert name == "fetch"
        assert calls == [arguments]
        assert type(arguments["id"]) is int or arguments["id"].is_integer()
    assert gateway.fault is None


def test_nesting_is_bounded(registry, sandbox, composite):
    composite("again", "return call_tool('again', {})", ("again",))
    result = Toolbox(registry, sandbox).call("again", {})
    assert not result.ok
    assert f"nested deeper than {MAX_DEPTH}" in result.error
    assert len(sandbox.runs) == MAX_DEPTH + 1


def test_number_of_calls_is_bounded(registry, sandbox, composite, real):
    composite("storm", "return [call_tool('fetch', {}) for _ in range(10**9)]", ("fetch",))
    toolbox = Toolbox(registry, sandbox, {"fetch": real.of("read")}, limits=Limits(wall_s=60))
    assert "refused: no calls or no time left" in toolbox.call("storm", {}).error
    assert len(real.calls) == MAX_CALLS


def test_time_is_shared_with_the_tools_inside(registry, sandbox, composite, make_spec):
    registry.register(make_spec())
    body = "call_tool('wait', {}); return call_tool('double', {'number': 1})"
    composite("slow", body, ("double", "wait"))
    tools = {"wait": ExternalTool(lambda: time.sleep(0.2), "read")}
    Toolbox(registry, sandbox, tools, limits=Limits(wall_s=30)).call("slow", {})
    outer, inner = (limits.wall_s for _, _, limits in sandbox.runs)
    assert inner <= outer - 0.2


def test_no_call_is_answered_once_the_time_is_over(registry, sandbox, composite, real):
    body = "call_tool('fetch', {}); import time; time.sleep(0.2); return call_tool('fetch', {})"
    composite("slow", body, ("fetch",))
    toolbox = Toolbox(registry, sandbox, {"fetch": real.of("read")}, limits=Limits(wall_s=0.1))
    assert "refused: no calls or no time left" in toolbox.call("slow", {}).error
    assert len(real.calls) == 1


def test_unavailable_sandbox_inside_a_composite_is_nobodys_failure(
    registry, sandbox, composite, make_spec, unavailable
):
    inner = registry.register(make_spec()).version
    body = (
        "try:\n        call_tool('double', {'number': 1})\n"
        "    except ToolCallError:\n        return call_tool('double', {'number': 1})"
    )
    version = composite("outer", body, ("double",))
    run, answers = sandbox.run, [None, unavailable]

    def breaking(program, arguments, **options):
        answer = answers.pop(0)
        if answer is not None:
            raise answer
        return run(program, arguments, **options)

    sandbox.run = breaking
    with pytest.raises(SandboxUnavailableError, match="start dockerd"):
        Toolbox(registry, sandbox).call("outer", {})
    for digest in (version.digest, inner.digest):
        record = registry.track_record(digest)
        last = registry.uses(digest)[-1].at
        assert record == Record(unavailable=1, last_used_at=last)
