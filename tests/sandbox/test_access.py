"""What callers may give, and what a run gets of it."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolguild.policies import Capability, Tier
from toolguild.sandbox import Access, Mount
from toolguild.sandbox.access import NOTHING, WORKSPACE, reach

READ, WRITE, NETWORK = Capability.READ, Capability.WRITE, Capability.NETWORK

needs = st.frozensets(st.sampled_from(list(Capability)))
tiers = st.sampled_from(list(Tier))


@pytest.fixture
def access(tmp_path) -> Access:
    return Access((Mount(tmp_path, "/data"),), tmp_path, frozenset({"example.org"}))


class TestMount:
    def test_its_source_is_settled_when_it_is_made(self, tmp_path, monkeypatch) -> None:
        (tmp_path / "real").mkdir()
        (tmp_path / "link").symlink_to("real")
        monkeypatch.chdir(tmp_path)
        assert Mount(Path("link"), "/data").source == tmp_path / "real"

    @pytest.mark.parametrize("name", ["missing", "file"])
    def test_a_source_that_is_no_directory_is_refused(self, tmp_path, name) -> None:
        (tmp_path / "file").touch()
        with pytest.raises(ValueError, match="no directory"):
            Mount(tmp_path / name, "/data")

    @pytest.mark.parametrize(
        "target", ["data", "", ".", "/", "/data/", "/a//b", "//usr", "/a/../b", "/./a", "/a\nb"]
    )
    def test_a_target_that_is_no_plain_absolute_path_is_refused(self, tmp_path, target) -> None:
        with pytest.raises(ValueError, match=r"cannot mount at .*: (it is no|a name in|its name)"):
            Mount(tmp_path, target)

    @pytest.mark.parametrize(
        "target", ["/usr", "/usr/local/data", "/etc/x", "/proc", "/tmp/x", "/workspace"]
    )
    def test_the_sandboxs_own_places_are_refused(self, tmp_path, target) -> None:
        with pytest.raises(ValueError, match="own"):
            Mount(tmp_path, target)

    def test_a_name_that_only_begins_like_one_of_them_is_free(self, tmp_path) -> None:
        assert Mount(tmp_path, "/usr-data").target == "/usr-data"


class TestAccess:
    def test_the_workspace_is_settled_when_it_is_given(self, tmp_path, monkeypatch) -> None:
        monkeypatch.chdir(tmp_path)
        assert Access(workspace=Path()).workspace == tmp_path

    def test_a_workspace_that_is_no_directory_is_refused(self, tmp_path) -> None:
        with pytest.raises(ValueError, match="no directory"):
            Access(workspace=tmp_path / "missing")

    @pytest.mark.parametrize("lower", ["/data", "/data/in", "/data/in/it"])
    def test_one_mount_in_another_is_refused(self, tmp_path, lower) -> None:
        others = [Mount(tmp_path, "/data-2"), Mount(tmp_path, "/a")]
        mounts = (Mount(tmp_path, "/data"), *others, Mount(tmp_path, lower))
        for order in (mounts, mounts[::-1]):
            with pytest.raises(ValueError, match="mounted there already"):
                Access(order)

    def test_mounts_side_by_side_are_taken(self, tmp_path) -> None:
        mounts = (Mount(tmp_path, "/data/a"), Mount(tmp_path, "/data/a-b"), Mount(tmp_path, "/c"))
        assert Access(mounts).mounts == mounts


class TestReach:
    @given(wanted=needs, tier=tiers)
    def test_nothing_given_is_nothing_to_see(self, wanted, tier) -> None:
        reached = reach(wanted, tier, NOTHING)
        assert (reached.mounts, reached.workspace, reached.kept) == ((), None, False)

    @pytest.mark.parametrize("tier", Tier)
    def test_nothing_needed_is_nothing_given(self, access, tier) -> None:
        assert reach((), tier, access) == reach((), Tier.SANDBOX, NOTHING)

    @given(wanted=needs, tier=tiers)
    def test_no_more_than_what_is_needed_and_allowed(self, wanted, tier) -> None:
        got = reach(wanted, tier, Access(hosts=None)).capabilities
        # Writing is possible everywhere, as it may be thrown away.
        assert got == wanted & (tier.capabilities | {WRITE})
        # A network without anybody to connect to is none.
        assert reach(wanted, tier, NOTHING).capabilities == got - {NETWORK}

    @pytest.mark.parametrize("tier", Tier)
    def test_changes_are_kept_where_the_tier_may_write(self, access, tier) -> None:
        assert reach({WRITE}, tier, access).kept is (WRITE in tier.capabilities)
        assert not reach({READ}, tier, access).kept
        assert not reach({WRITE}, tier, dataclasses.replace(access, workspace=None)).kept

    def test_a_workspace_is_shown_to_those_that_only_read(self, access, tmp_path) -> None:
        reached = reach({READ}, Tier.FULL, access)
        assert [(mount.source, mount.target) for mount in reached.mounts] == [
            (tmp_path, "/data"),
            (tmp_path, WORKSPACE),
        ]
        assert reached.workspace is None

    def test_who_only_writes_does_not_see_the_mounts(self, access, tmp_path) -> None:
        reached = reach({WRITE}, Tier.FULL, access)
        assert (reached.mounts, reached.workspace) == ((), tmp_path)

    @pytest.mark.parametrize("tier", Tier)
    def test_hosts_are_for_those_with_the_network(self, access, tier) -> None:
        open_to = reach({NETWORK}, tier, access).hosts
        assert open_to == (access.hosts if tier is Tier.FULL else frozenset())
