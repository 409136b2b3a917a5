"""The toolbox on real isolation; what needs no isolation is tested in `test_toolbox*`."""

import pytest

from toolguild.policies import Capability, Tier
from toolguild.registry import CallStatus, ExternalTool, Toolbox, ToolSpec, verify
from toolguild.sandbox import Limits, SandboxUnavailableError, open_sandbox

NOTHING = {"type": "object", "properties": {}}


@pytest.fixture(scope="module")
def local():
    """One worker only: a composite must not wait for a second one."""
    try:
        sandbox = open_sandbox("local", size=1)
    except SandboxUnavailableError as error:
        pytest.skip(str(error))
    with sandbox:
        yield sandbox


@pytest.fixture
def register(registry):
    def with_body(name, body, calls=()):
        source = f"def {name}():\n    {body}\n"
        return registry.register(ToolSpec(name, "", source, NOTHING, {}, calls)).version

    return with_body


def test_tool_runs_and_is_recorded(registry, local, make_spec):
    version = registry.register(make_spec()).version
    result = Toolbox(registry, local).call_json("double", '{"number": 21}')
    assert (result.status, result.value) == (CallStatus.OK, 42)
    (use,) = registry.uses(version.digest)
    assert use.duration_s > 0


def test_composite_calls_tools_of_both_kinds(registry, local, register, make_spec):
    registry.register(make_spec())
    body = "return [call_tool('double', {'number': n}) for n in call_tool('fetch', {'upto': 3})]"
    register("doubles", body, ("double", "fetch"))
    fetch = ExternalTool(lambda upto: str(list(range(upto))), "read")
    result = Toolbox(registry, local, {"fetch": fetch}).call("doubles", {})
    assert (result.value, result.error) == ([0, 2, 4], "")
    assert registry.track_record(registry.tool("double").digest).successes == 3


def test_refused_write_is_told_apart_from_a_failure(registry, local, register):
    saved = []
    version = register("act", "return call_tool('save', {'text': 'x'})", ("save",))
    toolbox = Toolbox(registry, local, {"save": ExternalTool(lambda text: saved.append(text))})
    result = toolbox.call("act", {})
    assert result.status is CallStatus.REFUSED
    assert result.error == "ToolCallError: refused: save needs write, not allowed in tier sandbox"
    assert result.effects == {Capability.WRITE}
    assert saved == []
    registry.set_tier("act", Tier.RESTRICTED, why="test")
    assert toolbox.call("act", {}).ok
    assert saved == ["x"]
    record = registry.track_record(version.digest)
    assert (record.successes, record.failures, record.refused) == (1, 0, 1)


def test_nesting_is_bounded(registry, local, register):
    register("again", "return call_tool('again', {})", ("again",))
    result = Toolbox(registry, local).call("again", {})
    assert result.status is CallStatus.ERROR
    assert "nested deeper" in result.error


def test_deadline_covers_the_tools_inside(registry, local, register):
    inner = register("hang", "while True: pass")
    outer = register("wait", "return call_tool('hang', {})", ("hang",))
    result = Toolbox(registry, local, limits=Limits(wall_s=0.5)).call("wait", {})
    assert result.status in (CallStatus.TIMEOUT, CallStatus.ERROR)
    assert result.duration_s < 5
    assert registry.track_record(outer.digest).failures == 1
    # What is left of the composite's time is no measure for the tool inside it.
    record = registry.track_record(inner.digest)
    assert (record.failures, record.cut_off) == (0, 1)


def test_hostile_tool_cannot_reach_the_registry(registry, local, register, path):
    body = f"return open({str(path)!r}, 'r+b').write(b'x')"
    result = Toolbox(registry, local).call(register("break_in", body).spec.name, {})
    assert not result.ok
    assert verify(registry).ok


def test_closed_sandbox_is_not_the_tools_failure(registry, local, make_spec):
    version = registry.register(make_spec()).version
    sandbox = open_sandbox(local.name)
    sandbox.close()
    with pytest.raises(SandboxUnavailableError):
        Toolbox(registry, sandbox).call("double", {"number": 1})
    assert registry.track_record(version.digest).unavailable == 1
