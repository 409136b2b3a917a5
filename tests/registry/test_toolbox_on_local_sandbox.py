"""The toolbox on real isolation; what needs no isolation is tested in `test_toolbox*`."""

import tempfile
import threading
from pathlib import Path

import pytest

from toolguild.policies import Capability, Tier
from toolguild.registry import (
    CallStatus,
    ChangedFile,
    ExternalTool,
    Toolbox,
    ToolSpec,
    verify,
)
from toolguild.sandbox import Access, Limits, Mount, SandboxUnavailableError, open_sandbox

READ, WRITE = Capability.READ, Capability.WRITE
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
    def with_body(name, body, calls=(), needs=(), tier=Tier.SANDBOX):
        source = f"def {name}():\n    {body}\n"
        spec = ToolSpec(name, "", source, NOTHING, {}, calls, frozenset(needs))
        registry.register(spec)
        return registry.set_tier(name, tier, why="test")

    return with_body


@pytest.fixture
def workspace():
    """A directory with one file, which every user may read, unlike those of pytest."""
    with tempfile.TemporaryDirectory() as name:
        path = Path(name)
        path.chmod(0o755)
        (path / "in.txt").write_text("before")
        yield path


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


def test_hostile_tool_cannot_reach_the_registry(registry, local, register, database, request):
    body = f"return open({registry.database.name!r}, 'r+b').write(b'x')"
    if database == "postgresql":
        socket = request.getfixturevalue("postgres_server").folder / ".s.PGSQL.5432"
        body = f"import socket; socket.socket(socket.AF_UNIX).connect({str(socket)!r})"
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


def test_a_function_that_blocks_does_not_hold_the_call_nor_the_worker(registry, local, register):
    release = threading.Event()
    register("look", "return call_tool('fetch', {})", ("fetch",))
    tools = {"fetch": ExternalTool(release.wait, "read")}
    toolbox = Toolbox(registry, local, tools, limits=Limits(wall_s=0.5))
    result = toolbox.call("look", {})
    assert result.status is CallStatus.TIMEOUT
    assert result.duration_s < 5
    release.set()
    assert toolbox.call("look", {}).value is True


# -- files


def test_a_restricted_tool_writes_in_the_workspace(registry, local, register, workspace):
    body = "open('out.txt', 'w').write(open('in.txt').read().upper()); return 'done'"
    register("save", body, needs={READ, WRITE}, tier=Tier.RESTRICTED)
    toolbox = Toolbox(registry, local, access=Access(workspace=workspace))
    result = toolbox.call("save", {})
    assert (result.status, result.value, result.error) == (CallStatus.OK, "done", "")
    assert (workspace / "out.txt").read_text() == "BEFORE"
    assert (result.changes, result.discarded) == ((ChangedFile("out.txt", 6),), ())
    assert result.effects == {READ, WRITE}
    assert result.undeclared == set()


def test_a_sandbox_tool_writes_nowhere_and_says_so(registry, local, register, workspace):
    body = (
        "with open('in.txt', 'w') as file:\n        file.write('after')\n"
        "    with open('in.txt') as file:\n        return file.read()"
    )
    register("save", body, needs={READ, WRITE})
    result = Toolbox(registry, local, access=Access(workspace=workspace)).call("save", {})
    assert (result.status, result.value, result.error) == (CallStatus.OK, "after", "")
    assert (workspace / "in.txt").read_text() == "before"
    assert (result.changes, result.discarded) == ((), (ChangedFile("in.txt", 5),))
    assert "Discarded" in result.for_model()


@pytest.mark.parametrize("tier", [Tier.SANDBOX, Tier.RESTRICTED])
def test_a_reading_tool_finds_what_was_mounted_and_changes_nothing(
    registry, local, register, workspace, tier
):
    body = "with open('/data/in.txt') as file:\n        return file.read()"
    register("look", body, needs={READ}, tier=tier)
    body = "with open('/data/in.txt', 'w') as file:\n        return file.write('x')"
    register("spoil", body, needs={READ}, tier=tier)
    toolbox = Toolbox(registry, local, access=Access((Mount(workspace, "/data"),)))
    assert toolbox.call("look", {}).value == "before"
    assert not toolbox.call("spoil", {}).ok
    assert (workspace / "in.txt").read_text() == "before"
    assert not Toolbox(registry, local).call("look", {}).ok


def test_a_composite_keeps_what_its_tools_wrote_only_at_their_tier(
    registry, local, register, workspace
):
    body = "open('out.txt', 'a').write('line'); return 1"
    inner = register("save", body, needs={WRITE}, tier=Tier.RESTRICTED)
    outer = register("twice", "return [call_tool('save', {}) for _ in range(2)]", ("save",))
    toolbox = Toolbox(registry, local, access=Access(workspace=workspace))
    low = toolbox.call("twice", {})
    assert low.ok, low.error
    assert (low.changes, low.discarded) == ((), (ChangedFile("out.txt", 4),) * 2)
    assert not (workspace / "out.txt").exists()
    registry.set_tier("twice", Tier.RESTRICTED, why="test")
    high = toolbox.call("twice", {})
    assert high.changes == (ChangedFile("out.txt", 4), ChangedFile("out.txt", 8))
    assert (workspace / "out.txt").read_text() == "lineline"
    assert {use.caller for use in registry.uses(inner.digest)} == {outer.digest}
