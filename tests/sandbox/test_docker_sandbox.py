"""What belongs to the Docker backend alone: hardening, images, the engine's failures."""

from __future__ import annotations

import contextlib
import io
import os
import subprocess
import sys
import tarfile
import time
from pathlib import Path

import pytest
from docker.errors import NotFound

from toolguild.policies import Capability, Tier
from toolguild.sandbox import Access, Limits, Mount, Program, SandboxUnavailableError, open_sandbox
from toolguild.sandbox.docker import LABEL, DockerSandbox
from toolguild.sandbox.engine import connect
from toolguild.sandbox.images.image import find_image
from toolguild.sandbox.inside import inner_pipes
from toolguild.sandbox.linux import kernel
from toolguild.sandbox.owner import Owner

IDENTITY = Program("def tool(x): return x", "tool")


def run(sandbox, x=1, **limits):
    return sandbox.run(IDENTITY, {"x": x}, tier=Tier.SANDBOX, limits=Limits(**limits))


def own_containers(client) -> list[str]:
    containers = client.containers(all=True, filters={"label": f"{LABEL}={Owner.current()}"})
    return [container["Id"] for container in containers]


@pytest.fixture
def engine(docker_engine):
    client = connect()
    yield client
    client.close()


@pytest.fixture
def fresh(docker_engine):
    with DockerSandbox(size=1) as sandbox:
        yield sandbox


@pytest.mark.docker
class TestContainers:
    def test_they_are_hardened(self, fresh, engine) -> None:
        before = set(own_containers(engine))
        assert run(fresh, memory_mb=64, processes=5).ok
        (container,) = set(own_containers(engine)) - before
        found = engine.inspect_container(container)
        host, config = found["HostConfig"], found["Config"]
        assert config["User"] == "65534:65534"
        assert host["NetworkMode"] == "none"
        assert host["ReadonlyRootfs"] is True
        assert host["CapDrop"] == ["ALL"]
        assert not host["CapAdd"]
        assert host["Privileged"] is False
        assert "no-new-privileges:true" in host["SecurityOpt"]
        assert any(option.startswith("seccomp={") for option in host["SecurityOpt"])
        assert host["PidsLimit"] == 7
        assert host["Memory"] == host["MemorySwap"] == (64 + 64) << 20
        assert host["NanoCpus"] == 1_000_000_000
        assert host["IpcMode"] == "none"
        assert host["LogConfig"]["Type"] == "none"
        assert {limit["Name"]: limit["Hard"] for limit in host["Ulimits"]} == {
            "nofile": 128,
            "core": 0,
        }
        assert not host["Binds"]
        (pipes,) = found["Mounts"]
        assert (pipes["Destination"], pipes["RW"]) == (inner_pipes.FOLDER, False)
        assert not Path(pipes["Source"]).exists()
        assert not host.get("Tmpfs")
        assert not host["Devices"]
        assert host["PidMode"] in ("", "private")
        assert "/proc/kallsyms" in host["MaskedPaths"]

    def test_a_run_with_other_limits_gets_a_container_that_keeps_them(self, fresh, engine) -> None:
        before = set(own_containers(engine))
        assert run(fresh, memory_mb=64).ok
        (first,) = set(own_containers(engine)) - before
        assert run(fresh, memory_mb=64, wall_s=9).ok
        assert set(own_containers(engine)) - before == {first}
        assert run(fresh, memory_mb=65).ok
        (second,) = set(own_containers(engine)) - before
        assert second != first

    def test_closing_removes_them(self, engine) -> None:
        before = set(own_containers(engine))
        sandbox = open_sandbox("docker", size=1)
        assert run(sandbox).ok
        assert len(set(own_containers(engine)) - before) == 1
        sandbox.close()
        sandbox.close()
        assert set(own_containers(engine)) == before

    def test_one_that_vanished_while_idle_is_replaced_unnoticed(self, fresh, engine) -> None:
        before = set(own_containers(engine))
        assert run(fresh).ok
        (container,) = set(own_containers(engine)) - before
        engine.remove_container(container, force=True)
        assert run(fresh, 2).value == 2

    def test_one_that_vanishes_during_a_run_ends_that_run_only(self, fresh, engine) -> None:
        before = set(own_containers(engine))

        def gateway(name, arguments):
            (container,) = set(own_containers(engine)) - before
            engine.remove_container(container, force=True)

        program = Program("def tool(): return call_tool('x', {})", "tool")
        # Nothing that the program did: so it is no outcome of the program's.
        with pytest.raises(SandboxUnavailableError, match="killed through the engine"):
            fresh.run(program, {}, tier=Tier.SANDBOX, tools=gateway)
        assert run(fresh, 2).value == 2

    def test_those_of_a_host_process_that_died_are_gone_soon(self, engine) -> None:
        script = """
import sys, time
from toolguild.policies import Tier
from toolguild.sandbox import Program, open_sandbox
from toolguild.sandbox.owner import Owner
sandbox = open_sandbox("docker", size=1)
assert sandbox.run(Program("def tool(): return 1", "tool"), {}, tier=Tier.SANDBOX).ok
print(Owner.current(), flush=True)
time.sleep(600)
"""
        with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE) as host:
            assert host.stdout
            owner = host.stdout.readline().decode().strip()
            filters = {"label": f"{LABEL}={owner}"}
            assert len(engine.containers(all=True, filters=filters)) == 1
            host.kill()
        until = time.monotonic() + 20
        while engine.containers(all=True, filters=filters) and time.monotonic() < until:
            time.sleep(0.1)
        assert not engine.containers(all=True, filters=filters)

    def test_orphans_that_did_not_end_by_themselves_are_removed_by_the_next(self, engine) -> None:
        here = Owner.current()
        gone = Owner(here.machine, here.pid, "1")  # our number, but of a process before us
        elsewhere = Owner("another machine", 1, "1")
        image = find_image(engine)
        made = {
            owner: engine.create_container(
                image.id, ["python3", "-c", "1"], labels={LABEL: str(owner)}
            )["Id"]
            for owner in (gone, elsewhere)
        }
        try:
            with open_sandbox("docker", size=1) as sandbox:
                assert sandbox.level
            left = {c["Id"] for c in engine.containers(all=True, filters={"label": LABEL})}
            assert made[gone] not in left
            assert made[elsewhere] in left
        finally:
            engine.remove_container(made[elsewhere], force=True)


@pytest.mark.docker
class TestFiles:
    READ = frozenset({Capability.READ})

    def test_room_to_write_comes_on_top_of_the_programs_memory(self, fresh, engine) -> None:
        before = set(own_containers(engine))
        program = Program("def tool(): return 1", "tool", needs=frozenset({Capability.WRITE}))
        limits = Limits(memory_mb=64, workspace_mb=8)
        assert fresh.run(program, {}, tier=Tier.SANDBOX, limits=limits).ok
        (container,) = set(own_containers(engine)) - before
        host = engine.inspect_container(container)["HostConfig"]
        assert host["Memory"] == host["MemorySwap"] == (64 + 64 + 2 * 8) << 20
        assert host["Tmpfs"].keys() == {"/workspace", "/tmp"}
        assert all("size=8m" in options for options in host["Tmpfs"].values())

    def test_file_systems_below_a_mounted_folder_stay_away(self, fresh, folder) -> None:
        if os.geteuid() != 0:
            pytest.skip("only root can mount")
        (folder / "below").mkdir()
        kernel.mount("tmpfs", str(folder / "below"), "tmpfs", 0, "mode=0777")
        try:
            (folder / "below" / "note").write_text("x")
            source = """
import os
def tool():
    try: open("/data/below/new", "w")
    except OSError: return os.listdir("/data/below")
"""
            program = Program(source, "tool", walled=False, needs=self.READ)
            access = Access((Mount(folder, "/data"),))
            assert fresh.run(program, {}, tier=Tier.SANDBOX, access=access).value == []
            assert [path.name for path in (folder / "below").iterdir()] == ["note"]
        finally:
            kernel.unmount_lazily(str(folder / "below"))

    def test_an_ordinary_callers_private_folder_is_read_as_that_caller(
        self, fresh, engine, folder, monkeypatch
    ) -> None:
        if os.geteuid() != 0:
            pytest.skip("only root can play another user")
        user, group, other = 12345, 12346, 12347
        (folder / "note").write_text("private")
        (folder / "note").chmod(0o600)
        for path in (folder, folder / "note"):
            os.chown(path, user, group)
        folder.chmod(0o700)
        monkeypatch.setattr(os, "geteuid", lambda: user)
        monkeypatch.setattr(os, "getegid", lambda: group)
        monkeypatch.setattr(os, "getgroups", lambda: [other])
        source = """
import os
def tool(): return [open("/data/note").read(), os.getuid(), os.getgid(), os.getgroups()]
"""
        access = Access((Mount(folder, "/data"),))
        before = set(own_containers(engine))
        for needs in (self.READ, self.READ | {Capability.WRITE}):
            program = Program(source, "tool", walled=False, needs=needs)
            outcome = fresh.run(program, {}, tier=Tier.RESTRICTED, access=access)
            assert outcome.value == ["private", user, group, [group, other]], outcome
        # Without a mount there is nothing for which it would have to be the caller.
        assert run(fresh).ok
        (container,) = set(own_containers(engine)) - before
        assert engine.inspect_container(container)["Config"]["User"] == "65534:65534"


@pytest.mark.docker
class TestImages:
    def test_the_level_names_runtime_filter_and_image(self, fresh, engine) -> None:
        runtime = engine.info()["DefaultRuntime"]
        assert fresh.level == f"docker:{runtime}+seccomp@{find_image(engine).id}"

    def test_one_is_made_once(self, engine) -> None:
        assert find_image(engine) == find_image(engine)

    def test_one_that_is_gone_is_looked_for_again(self, engine) -> None:
        image = find_image(engine)
        name = "toolguild-sandbox-test:gone"
        repository, _, tag = name.partition(":")
        # A copy with an identity of its own, so that nobody else's image is taken away.
        container = engine.create_container(image.id, ["python3", "-c", "1"])["Id"]
        engine.commit(container, repository=repository, tag=tag, message="a copy")
        engine.remove_container(container)
        copy = engine.inspect_image(name)["Id"]
        with open_sandbox("docker", size=1, recycle_after=1, image=name) as sandbox:
            assert run(sandbox, memory_mb=64).ok
            engine.remove_image(name, force=True)
            # This one has no other source, which the message says.
            with pytest.raises(SandboxUnavailableError, match=f"no image {name}: run `docker pull"):
                run(sandbox, memory_mb=65)
        with contextlib.suppress(NotFound):
            engine.remove_image(copy, force=True)

    def test_one_that_nobody_has_is_unavailable(self, docker_engine) -> None:
        with (
            open_sandbox("docker", image="no.such.registry/none:1") as sandbox,
            pytest.raises(SandboxUnavailableError, match="docker pull"),
        ):
            run(sandbox)

    def test_one_that_cannot_be_pulled_is_unavailable(self, docker_engine) -> None:
        with (
            open_sandbox("docker", image="localhost:1/none:1", pull=True) as sandbox,
            pytest.raises(SandboxUnavailableError, match="cannot pull localhost:1/none:1"),
        ):
            run(sandbox)

    def test_one_without_python_is_unavailable(self, engine) -> None:
        archive = io.BytesIO()
        with tarfile.open(fileobj=archive, mode="w") as tar:
            tar.addfile(tarfile.TarInfo("nothing"))
        engine.import_image_from_data(
            archive.getvalue(), repository="toolguild-sandbox-test", tag="empty"
        )
        try:
            with (
                open_sandbox("docker", image="toolguild-sandbox-test:empty") as sandbox,
                pytest.raises(SandboxUnavailableError, match=r"cannot start a container.*python3"),
            ):
                run(sandbox)
        finally:
            engine.remove_image("toolguild-sandbox-test:empty", force=True)


@pytest.mark.docker
def test_a_runtime_that_the_engine_lacks_is_unavailable(docker_engine) -> None:
    with (
        open_sandbox("docker", runtime="no-such-runtime") as sandbox,
        pytest.raises(SandboxUnavailableError, match=r"no runtime no-such-runtime, only .*runc"),
    ):
        run(sandbox)


@pytest.mark.parametrize("address", ["unix:///no/such/socket", "tcp://127.0.0.1:9"])
def test_without_an_engine_opening_works_and_running_says_what_to_do(address, monkeypatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", address)
    with open_sandbox("docker") as sandbox:
        for _ in range(2):
            with pytest.raises(
                SandboxUnavailableError, match=r"cannot reach the Docker engine.*docker info"
            ):
                run(sandbox)
        with pytest.raises(SandboxUnavailableError):
            _ = sandbox.level


@pytest.mark.docker
def test_gvisor_gets_from_us_what_it_does_not_take_from_docker(engine) -> None:
    if "runsc" not in engine.info()["Runtimes"]:
        pytest.skip("the engine has no runtime runsc")
    source = """
import os, socket
def tool():
    done = []
    for attempt in (
        lambda: os.mkdir("/tmp/x"), lambda: os.kill(1, 9), os.fork, socket.socket
    ):
        try: done.append(repr(attempt()))
        except OSError: pass
    return done
"""
    with open_sandbox("docker", size=1, runtime="runsc") as sandbox:
        assert sandbox.level.startswith("docker:runsc+seccomp@sha256:")
        outcome = sandbox.run(Program(source, "tool", walled=False), {}, tier=Tier.SANDBOX)
        assert outcome.value == [], outcome


class TestOwner:
    def test_it_survives_being_written_down(self) -> None:
        assert Owner.parse(str(Owner.current())) == Owner.current()

    @pytest.mark.parametrize("label", ["", "x", "a b c", "a -1 2"])
    def test_other_labels_are_nobodys(self, label) -> None:
        assert Owner.parse(label) is None

    def test_only_what_surely_ended_counts_as_gone(self) -> None:
        here = Owner.current()
        assert not here.surely_gone
        assert Owner(here.machine, here.pid, "0").surely_gone
        assert not Owner("elsewhere", here.pid, "0").surely_gone
        ended = subprocess.Popen([sys.executable, "-c", ""])
        ended.wait()
        assert Owner(here.machine, ended.pid, "0").surely_gone
