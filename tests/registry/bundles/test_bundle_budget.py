"""What arrives beyond the budget of new tools waits, and its names mean it when it is let in."""

from __future__ import annotations

import pytest

from toolguild.registry import State, tail, verify
from toolguild.registry.bundles import ImportSettings, import_bundle, receive


@pytest.fixture
def arrive(alice):
    """Import a bundle into a registry; return what arrived, and whether it waits."""

    def take_in(registry, data, **settings):
        received = receive(data, (alice.public,))
        imported = import_bundle(registry, received, ImportSettings(**settings))
        return {arrival.ref: arrival.waits for arrival in imported.arrivals}

    return take_in


def test_what_others_call_comes_in_first_whatever_the_bundles_order(
    bounded, arrive, theirs, share, make_spec
) -> None:
    theirs.register(make_spec("a_composite", calls=("double",)))
    registry, data = bounded(a_cycle=1), share("a_composite", "double")
    foretold = arrive(registry, data, dry_run=True)
    assert foretold == {"a_composite@1": True, "double@1": False}
    assert registry.tools() == []
    assert arrive(registry, data) == foretold
    assert registry.tool("a_composite").state is State.PROPOSED
    row = tail(registry, 2)[0]
    assert (row.action, "signed by sha256:" in row.content["why"]) == ("propose", True)
    assert [one.ref for one in registry.governance.admit()] == ["a_composite@1"]
    assert verify(registry).ok


@pytest.mark.parametrize("replace", [True, False])
def test_a_known_name_means_what_waited_only_where_that_was_asked_for(
    bounded, arrive, share, make_spec, replace
) -> None:
    registry = bounded(a_cycle=0)
    registry.register(make_spec(description="Ours."))
    assert arrive(registry, share("double"), replace=replace) == {"double@2": True}
    assert registry.tool("double").number == 1
    registry = bounded(a_cycle=1)
    assert [one.ref for one in registry.governance.admit()] == ["double@2"]
    assert registry.tool("double").number == (2 if replace else 1)
    assert registry.tool("double@2").state is State.ACTIVE
    assert verify(registry).ok


def test_the_same_bundle_again_leaves_what_waits_in_its_place(bounded, arrive, share) -> None:
    registry = bounded(a_cycle=0)
    assert arrive(registry, share("quad")) == {"double@1": True, "quad@1": True}
    before = len(tail(registry, 10))
    assert arrive(registry, share("quad"), replace=True) == {"double@1": False, "quad@1": False}
    assert len(tail(registry, 10)) == before
    assert [one.ref for one in registry.governance.proposals()] == ["double@1", "quad@1"]
