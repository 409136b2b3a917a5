"""Each container passes what the CIS Docker benchmark asks of containers.

Sections 4.1 and 5, by the numbers of its version 1.6.0, which the names of the tests begin with. In
earlier ones section 5 lacks the first, so that the others have the number before.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from toolguild.policies import Capability, Tier
from toolguild.sandbox import Access, Limits, Mount, Program, open_sandbox
from toolguild.sandbox.docker import LABEL
from toolguild.sandbox.engine import connect
from toolguild.sandbox.inside import inner_pipes
from toolguild.sandbox.owner import Owner

pytestmark = pytest.mark.docker

Container = dict[str, Any]

SENSITIVE = ("/", "/boot", "/dev", "/etc", "/lib", "/proc", "/sys", "/usr", "/var/run/docker.sock")
RUN = Program("def tool(): return 1", "tool")
RUN_ON_FILES = Program("def tool(): return 1", "tool", needs=frozenset(Capability))


@pytest.fixture(scope="module")
def shown(tmp_path_factory) -> Path:
    """A directory that programs are shown."""
    made = tmp_path_factory.mktemp("shown")
    made.chmod(0o755)
    return Path(made)


@pytest.fixture(scope="module")
def containers(docker_engine, shown) -> Iterator[list[Container]]:
    """Containers of every tier, made for common and for unusual limits, with and without files."""
    client = connect()
    own = {"label": f"{LABEL}={Owner.current()}"}
    before = {container["Id"] for container in client.containers(all=True, filters=own)}
    with open_sandbox("docker", size=1) as sandbox:
        found = []
        for tier in Tier:
            for limits in (Limits(), Limits(memory_mb=32, processes=1)):
                for program in (RUN, RUN_ON_FILES):
                    access = Access((Mount(shown, "/data"),))
                    assert sandbox.run(program, {}, tier=tier, limits=limits, access=access).ok
                    now = {each["Id"] for each in client.containers(all=True, filters=own)}
                    inspected = [client.inspect_container(each) for each in now - before]
                    found += [{**each, "Engine": client.info()} for each in inspected]
        yield found
    client.close()


def host(container: Container) -> dict[str, Any]:
    return dict(container["HostConfig"])


def options(container: Container) -> list[str]:
    return list(host(container)["SecurityOpt"])


def engine_has(container: Container, module: str) -> bool:
    """Return whether the engine confines containers with a security module."""
    found = (option.split(",")[0] for option in container["Engine"]["SecurityOptions"])
    return f"name={module}" in found


def sources(container: Container) -> list[str]:
    return [
        mount["Source"]
        for mount in container["Mounts"]
        if mount["Destination"] != inner_pipes.FOLDER
    ]


def writable(container: Container) -> dict[str, set[str]]:
    """Return the places where something can be written, with the options of their file systems."""
    tmpfs = host(container).get("Tmpfs") or {}
    return {place: set(options.split(",")) for place, options in tmpfs.items()}


CHECKS: dict[str, Callable[[Container], bool]] = {
    "4.1 it runs as a user of its own": lambda c: c["Config"]["User"] == "65534:65534",
    "5.2 an AppArmor profile is on, where the engine has it": lambda c: (
        not engine_has(c, "apparmor") or c["AppArmorProfile"] not in ("", "unconfined")
    ),
    "5.3 an SELinux label is on, where the engine has it": lambda c: (
        not engine_has(c, "selinux") or c["ProcessLabel"] != ""
    ),
    "5.4 it has no capabilities": lambda c: host(c)["CapDrop"] == ["ALL"] and not host(c)["CapAdd"],
    "5.5 it is not privileged": lambda c: host(c)["Privileged"] is False,
    "5.6 no sensitive directory of the host is mounted": lambda c: (
        not set(sources(c)) & set(SENSITIVE) and not host(c)["Binds"]
    ),
    "5.6 nothing is mounted but what programs are shown, to read only": lambda c: all(
        (mount["Type"], mount["RW"]) == ("bind", False)
        and mount["Destination"] in ("/data", inner_pipes.FOLDER)
        for mount in c["Mounts"]
    ),
    "5.7 it runs no ssh": lambda c: (c["Path"], "ssh" in c["Args"][0]) == ("python3", False),
    "5.8 no privileged port is mapped": lambda c: not host(c)["PortBindings"],
    "5.9 no port is open": lambda c: not c["NetworkSettings"]["Ports"],
    "5.10 the host's network is not shared": lambda c: host(c)["NetworkMode"] == "none",
    "5.11 memory is limited": lambda c: (
        0 < host(c)["Memory"] <= 512 << 20 and host(c)["MemorySwap"] == host(c)["Memory"]
    ),
    "5.12 processor time is limited": lambda c: 0 < host(c)["NanoCpus"] <= 1_000_000_000,
    "5.13 its root is read-only": lambda c: host(c)["ReadonlyRootfs"] is True,
    "5.13 what can be written is bounded, and nothing in it is run": lambda c: all(
        {"nosuid", "nodev", "noexec", "size=16m", "nr_inodes=10001", "mode=0700"} <= options
        for options in writable(c).values()
    ),
    "5.13 only a workspace and scratch room can be written": lambda c: (
        writable(c).keys() in (set(), {"/workspace", "/tmp"})
    ),
    "5.14 no port is bound to every address": lambda c: not host(c)["PublishAllPorts"],
    "5.15 it is not restarted": lambda c: host(c)["RestartPolicy"]["Name"] in ("", "no"),
    "5.16 the host's processes are not shared": lambda c: host(c)["PidMode"] in ("", "private"),
    "5.17 the host's IPC is not shared": lambda c: host(c)["IpcMode"] in ("none", "private"),
    "5.18 no device of the host is there": lambda c: (
        not host(c)["Devices"] and not host(c)["DeviceRequests"]
    ),
    "5.19 descriptors and core dumps are limited": lambda c: all(
        {"Name": name, "Hard": most, "Soft": most} in host(c)["Ulimits"]
        for name, most in (("nofile", 128), ("core", 0))
    ),
    "5.20 no mount is shared": lambda c: all(
        mount["Propagation"] == "rprivate" for mount in c["Mounts"]
    ),
    "5.21 the host's names are not shared": lambda c: host(c)["UTSMode"] != "host",
    "5.22 seccomp is on, with our own profile": lambda c: any(
        option.startswith('seccomp={"') or option.startswith("seccomp={\n") for option in options(c)
    ),
    "5.23 and 5.24 nothing was run in it by exec, privileged or as root": lambda c: (
        not c["ExecIDs"]
    ),
    "5.25 its control group is its own": lambda c: (
        not host(c)["CgroupParent"] and host(c)["CgroupnsMode"] == "private"
    ),
    "5.26 it gains no privileges": lambda c: "no-new-privileges:true" in options(c),
    # Its health is asked for over its own connection, before each run.
    "5.27 no command for its health runs in it": lambda c: (
        c["Config"]["Healthcheck"]["Test"] == ["NONE"]
    ),
    "5.28 its image is the one that was found, by digest": lambda c: c["Config"][
        "Image"
    ].startswith("sha256:"),
    "5.29 processes are limited": lambda c: 0 < host(c)["PidsLimit"] <= 64,
    "5.30 it is not on the default bridge": lambda c: (
        c["NetworkSettings"]["Networks"].keys() <= {"none"}
    ),
    "5.31 the host's users are not shared by request": lambda c: host(c)["UsernsMode"] != "host",
    "5.32 the engine's socket is not in it": lambda c: (
        not any("docker.sock" in source for source in sources(c))
    ),
    "what tells of the host is masked": lambda c: (
        {"/proc/kcore", "/proc/keys", "/sys/firmware"} <= set(host(c)["MaskedPaths"])
    ),
    "it writes no log and is removed when it ends": lambda c: (
        host(c)["LogConfig"]["Type"] == "none" and host(c)["AutoRemove"] is True
    ),
    "no secret is in its environment": lambda c: (
        not any(
            word in variable.upper()
            for variable in c["Config"]["Env"]
            # A number by which anybody can check Python's sources, in the images of Docker Hub.
            if not variable.startswith("GPG_KEY=")
            for word in ("KEY", "TOKEN", "SECRET", "PASSWORD")
        )
    ),
}
NOT_OF_CONTAINERS = {"5.1": "whether the engine is part of a swarm"}


def test_every_check_of_the_section_is_here() -> None:
    asked = {f"5.{number}" for number in range(1, 33)}
    answered = {word for check in CHECKS for word in check.split() if word.startswith("5.")}
    assert answered | NOT_OF_CONTAINERS.keys() == asked


@pytest.mark.parametrize("check", CHECKS)
def test_every_container_passes(containers, check) -> None:
    assert len(containers) == len(Tier) * 4
    failing = [c["HostConfig"] for c in containers if not CHECKS[check](c)]
    assert not failing


def test_there_are_containers_with_files_and_without(containers, shown) -> None:
    with_files = [c for c in containers if writable(c)]
    assert len(with_files) == len(containers) / 2
    for container in with_files:
        assert sources(container) == [str(shown)]
    assert not any(sources(c) for c in containers if not writable(c))
