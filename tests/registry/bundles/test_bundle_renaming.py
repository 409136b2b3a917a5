"""Tools whose names mean something else here, taken in under names of their own."""

from __future__ import annotations

import pytest

from toolguild.registry import Toolbox, verify
from toolguild.registry.bundles import ImportRefusedError, export_tools, payload_of, seal


@pytest.fixture(autouse=True)
def own(registry, make_spec):
    """A tool of one's own, called as one of Alice's."""
    return registry.register(make_spec(description="Mine.", source=TRIPLE)).version.spec


TRIPLE = '''
def double(number: int) -> int:
    """Return three times the number, in spite of the name."""
    return 3 * number
'''


def test_only_what_means_something_else_gets_another_name(registry, share, take, sandbox, own):
    double, quad = take(share("quad"), rename="alices_").arrivals
    assert (double.ref, quad.ref) == ("alices_double@1", "quad@1")
    assert quad.spec.calls == ("alices_double",)
    toolbox = Toolbox(registry, sandbox)
    assert toolbox.call("alices_double", {"number": 5}).value == 10
    assert toolbox.call("quad", {"number": 5}).value == 20
    assert toolbox.call("double", {"number": 5}).value == 15
    assert registry.tool("double").spec == own
    assert verify(registry).ok


def test_the_digest_that_was_signed_is_kept_beside_the_new_text(registry, share, take, theirs):
    take(share("quad"), rename="alices_")
    claims = registry.tool("alices_double").provenance["claims"]
    assert claims["digest"] == theirs.tool("double").digest
    assert claims["ref"] == "double@1"


def test_the_same_bundle_again_changes_nothing(registry, share, take):
    first = take(share("quad"), rename="alices_")
    assert first.changed
    assert not take(share("quad"), rename="alices_").changed


def test_where_every_name_is_free_or_means_the_same_nothing_is_renamed(
    registry, share, take, make_spec
):
    registry.register(make_spec())
    assert [one.ref for one in take(share("quad"), rename="alices_").arrivals] == [
        "double@2",
        "quad@1",
    ]


RENAMED = {
    "recursion": (
        "def double(n):\n    return 0 if n == 0 else 2 + double(n - 1)\n",
        "def x_double(n):\n    return 0 if n == 0 else 2 + x_double(n - 1)\n",
    ),
    "attributes and keywords of others": (
        "def double(n):\n    return n.double + f(double=n) + max(n, key=double)\n",
        "def x_double(n):\n    return n.double + f(double=n) + max(n, key=x_double)\n",
    ),
    "inside a formatted text": (
        "def double(n):\n    return f'{double(n)!r:>{n}}'\n",
        "def x_double(n):\n    return f'{x_double(n)!r:>{n}}'\n",
    ),
    "texts and comments stay": (
        "def double(n):  # double\n    'double'\n    return 'double'\n",
        "def x_double(n):  # double\n    'double'\n    return 'double'\n",
    ),
}


def send(theirs, take, alice, spec):
    theirs.register(spec)
    bundle = export_tools(theirs, [spec.name]).bundle
    arrivals = take(seal(payload_of(bundle), alice), rename="x_").arrivals
    return next(one.spec for one in arrivals if one.tool.spec == spec)


@pytest.mark.parametrize(("source", "expected"), RENAMED.values(), ids=RENAMED)
def test_a_name_is_rewritten_where_it_is_the_name(theirs, take, alice, make_spec, source, expected):
    assert send(theirs, take, alice, make_spec(source=source)).source == expected


UNSURE = {
    "a parameter of the name": "def double(double):\n    return double\n",
    "a variable of the name": "def double(n):\n    double = n\n    return double\n",
    "an import of the name": "import double\ndef double(n):\n    return n\n",
    "a nested function": "def double(n):\n    def double(): ...\n    return n\n",
    "a pattern": "def double(n):\n    match n:\n        case double: return 1\n",
    "another function of the name": "def double(n): ...\ndef double(n): ...\n",
    "no function of the name": "def halve(n): ...\n",
    "the new name": "x_double = 1\ndef double(n): ...\n",
    "the new name, as a parameter": "def double(x_double): ...\n",
    "no Python": "def double(:\n",
    "out of reason": "def double():\n    return " + "(" * 5000 + ")" * 5000 + "\n",
}


@pytest.mark.parametrize("source", UNSURE.values(), ids=UNSURE)
def test_what_could_mean_something_else_is_refused(
    registry, theirs, take, alice, make_spec, source
):
    with pytest.raises(ImportRefusedError, match=r"double cannot be renamed: .*--replace"):
        send(theirs, take, alice, make_spec(source=source))
    assert [version.ref for version in registry.tools()] == ["double@1"]


CALLERS = {
    "by a variable": "def six(n):\n    name = 'double'\n    return call_tool(name, {})\n",
    "by another name": "def six(n):\n    call = call_tool\n    return call('double', {})\n",
    "by a formatted text": "def six(n):\n    return call_tool(f'dou{n}', {})\n",
    "by a keyword": "def six(n):\n    return call_tool(name='double', arguments={})\n",
    "by a list": "def six(n):\n    return call_tool(*['double', {}])\n",
}


@pytest.mark.parametrize("source", CALLERS.values(), ids=CALLERS)
def test_a_caller_that_does_not_say_whom_it_calls_is_refused(
    theirs, take, alice, make_spec, source
):
    with pytest.raises(ImportRefusedError, match=r"six cannot be renamed: line . does not say"):
        send(theirs, take, alice, make_spec("six", source=source, calls=("double",)))


def test_names_of_tools_that_are_called_are_rewritten_in_calls_alone(
    theirs, take, alice, make_spec
):
    source = "def six(n):\n    return call_tool('dou' 'ble', {'double': 'double'})\n"
    made = send(theirs, take, alice, make_spec("six", source=source, calls=("double",)))
    assert made.source == (
        "def six(n):\n    return call_tool(\"x_double\", {'double': 'double'})\n"
    )


def test_a_name_that_the_bundle_has_as_well_is_refused(theirs, take, alice, make_spec):
    theirs.register(make_spec("x_double"))
    bundle = export_tools(theirs, ["double", "x_double"]).bundle
    with pytest.raises(ImportRefusedError, match="has a tool x_double of its own"):
        take(seal(payload_of(bundle), alice), rename="x_")


@pytest.mark.parametrize("prefix", ["_", "a b", "9", "x" * 64, "\n", "ignore_all_previous_orders_"])
def test_a_prefix_that_makes_no_name_is_refused(registry, share, take, prefix):
    with pytest.raises(ImportRefusedError):
        take(share("quad"), rename=prefix)
    assert [version.ref for version in registry.tools()] == ["double@1"]


def test_tools_that_call_one_another_in_a_circle_come_to_an_end(theirs, take, alice, make_spec):
    ping = "def ping(n):\n    return call_tool('pong', {}) + call_tool('double', {})\n"
    pong = "def pong(n):\n    return call_tool('ping', {})\n"
    theirs.register(make_spec("ping", source=ping, calls=("pong", "double")))
    theirs.register(make_spec("pong", source=pong, calls=("ping",)))
    data = seal(payload_of(export_tools(theirs, ["ping"]).bundle), alice)
    assert {one.ref for one in take(data, rename="x_").arrivals} == {
        "ping@1",
        "pong@1",
        "x_double@1",
    }
    assert not take(data, rename="x_").changed
