"""Programs with network in real sandboxes: they reach the hosts that their caller allows, alone."""

from __future__ import annotations

import os
import socket
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from toolguild.policies import Capability, Tier
from toolguild.sandbox import (
    Access,
    Limits,
    Outcome,
    Program,
    Sandbox,
    SandboxUnavailableError,
    Status,
    open_sandbox,
)
from toolguild.sandbox.local import Isolation, LocalSandbox

GET = """
import urllib.request
def tool(url):
    return urllib.request.urlopen(url, timeout=10).read().decode()
"""
OTHER_SOCKETS = """
import socket
def tool():
    refused = []
    for family, kind in ((1, 1), (1, 2), (2, 2), (2, 3), (10, 1), (16, 3), (17, 3), (38, 5)):
        try:
            socket.socket(family, kind).close()
        except OSError:
            refused.append(family)
    try:
        socket.create_server(("127.0.0.1", 0)).close()
    except OSError:
        refused.append("server")
    return refused
"""
NETWORK = frozenset({Capability.NETWORK})


def call(
    sandbox: Sandbox,
    source: str,
    hosts: set[str] | None,
    *,
    tier: Tier = Tier.FULL,
    needs: frozenset[Capability] = NETWORK,
    wall_s: float = 20,
    **arguments: str | int,
) -> Outcome:
    return sandbox.run(
        Program(source, "tool", needs=needs),
        arguments,
        tier=tier,
        limits=Limits(wall_s=wall_s),
        access=Access(hosts=None if hosts is None else frozenset(hosts)),
    )


def test_a_host_that_is_allowed_is_reached(sandbox, web) -> None:
    outcome = call(sandbox, GET, {f"localhost:{web.port}"}, url=f"http://localhost:{web.port}/")
    assert outcome.value == "you said: ", outcome
    assert outcome.hosts == (f"localhost:{web.port}",)
    assert outcome.effects == NETWORK


@pytest.mark.parametrize("hosts", [{"example.org"}, None])
def test_a_host_that_is_not_allowed_is_refused_and_told(sandbox, web, hosts) -> None:
    outcome = call(sandbox, GET, hosts, url=f"http://localhost:{web.port}/")
    assert outcome.status is Status.ERROR
    assert f"Access(hosts={{'localhost:{web.port}'}})" in outcome.error
    assert outcome.hosts == (f"localhost:{web.port}",)
    assert outcome.effects == NETWORK
    assert web.seen == []


@pytest.mark.parametrize("tier", [Tier.SANDBOX, Tier.RESTRICTED])
def test_below_the_full_tier_there_is_no_network(sandbox, web, tier) -> None:
    # Past the wall, which shows no such module at all.
    source = GET if tier is not Tier.SANDBOX else "import urllib.request\n" + GET
    outcome = call(
        sandbox, source, {f"localhost:{web.port}"}, tier=tier,
        url=f"http://localhost:{web.port}/",
    )  # fmt: skip
    assert not outcome.ok
    assert outcome.hosts == ()
    assert web.seen == []


def test_who_does_not_need_it_has_no_network(sandbox, web) -> None:
    outcome = call(
        sandbox, GET, {f"127.0.0.1:{web.port}"}, needs=frozenset(),
        url=f"http://127.0.0.1:{web.port}/",
    )  # fmt: skip
    assert "PermissionError" in outcome.error or "not permitted" in outcome.error
    assert web.seen == []


def test_there_is_no_other_way_out(sandbox, web) -> None:
    source = """
import socket
def tool(port):
    said = {}
    def attempt(name, action):
        try: said[name] = repr(action())
        except OSError as error: said[name] = f"{type(error).__name__}: {error}"
    connect = lambda address: socket.create_connection(address, timeout=5)
    attempt("the server", lambda: connect(("127.0.0.1", port)))
    attempt("outside", lambda: connect(("192.0.2.1", 3128)))
    attempt("names", lambda: socket.getaddrinfo("localhost.test", 80))
    for name, family, kind in (
        ("version 6", socket.AF_INET6, socket.SOCK_STREAM),
        ("files", socket.AF_UNIX, socket.SOCK_STREAM),
        ("datagrams", socket.AF_INET, socket.SOCK_DGRAM),
        ("netlink", socket.AF_NETLINK, socket.SOCK_RAW),
    ):
        attempt(name, lambda: socket.socket(family, kind))
    attempt("listening", lambda: socket.create_server(("127.0.0.1", 3128)))
    return said
"""
    said = call(sandbox, source, None, port=web.port).value
    # Landlock refuses other ports before there is nobody to answer.
    assert said.pop("the server").startswith(("ConnectionRefusedError", "PermissionError"))
    assert said.pop("outside").endswith(("unreachable", "No route to host"))
    assert said.pop("names").startswith("gaierror")
    for name, error in said.items():
        assert error.startswith("PermissionError"), name


def test_nothing_of_a_run_gets_into_the_next(sandbox, web) -> None:
    hold = """
import socket
def tool(target):
    global held
    held = []
    for _ in range(20):
        connection = socket.create_connection(("127.0.0.1", 3128))
        connection.sendall(f"CONNECT {target} HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n".encode())
        held.append(connection)
    return len([each for each in held[:3] if each.recv(12) == b"HTTP/1.1 200"])
"""
    target = f"127.0.0.1:{web.port}"
    for _ in range(5):
        outcome = call(sandbox, hold, {target}, target=target)
        assert (outcome.value, outcome.hosts) == (3, (target,))
        assert call(sandbox, GET, set(), url=f"http://{target}/").status is Status.ERROR
        assert call(sandbox, "def tool(): return 1", set()).hosts == ()
    assert web.seen == []


def test_the_deadline_cuts_connections(sandbox, silent) -> None:
    url = f"http://127.0.0.1:{silent.port}/"
    outcome = call(sandbox, GET, {f"127.0.0.1:{silent.port}"}, wall_s=1, url=url)
    assert outcome.status is Status.TIMEOUT
    assert outcome.hosts == (f"127.0.0.1:{silent.port}",)
    with silent.accept() as peer:
        while peer.recv(1 << 16):
            pass


def test_files_and_network_go_together(sandbox, web, tmp_path) -> None:
    tmp_path.chmod(0o755)
    source = """
import urllib.request
def tool(url):
    with open("page.txt", "wb") as file:
        return file.write(urllib.request.urlopen(url, timeout=10).read())
"""
    access = Access(workspace=tmp_path, hosts=frozenset({f"localhost:{web.port}"}))
    outcome = sandbox.run(
        Program(source, "tool", needs=frozenset(Capability)),
        {"url": f"http://localhost:{web.port}/"},
        tier=Tier.FULL,
        access=access,
    )
    assert outcome.ok, outcome
    assert (tmp_path / "page.txt").read_bytes() == b"you said: "
    assert outcome.effects >= {Capability.WRITE, Capability.NETWORK}


def test_tls_is_verified_with_the_hosts_authorities(
    kind, web_servers, certificate, monkeypatch
) -> None:
    real = socket.getaddrinfo

    def known(host, *rest, **more):
        return real("127.0.0.1" if host == b"web.test" else host, *rest, **more)

    monkeypatch.setattr(socket, "getaddrinfo", known)
    with web_servers(certificate=certificate) as secure:
        target = f"web.test:{secure.port}"
        with open_sandbox(kind, size=1) as untrusting:
            outcome = call(untrusting, GET, {target}, url=f"https://{target}/")
            assert "CERTIFICATE_VERIFY_FAILED" in outcome.error
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        with open_sandbox(kind, size=1) as trusting:
            outcome = call(trusting, GET, {target}, url=f"https://{target}/")
            assert outcome.value == "you said: ", outcome


def test_many_callers_at_once_are_kept_apart(sandbox, web) -> None:
    def one(number: int) -> tuple[bool, tuple[str, ...]]:
        host = f"127.0.0.{1 + number % 2}:{web.port}"
        outcome = call(sandbox, GET, {f"127.0.0.1:{web.port}"}, url=f"http://{host}/")
        return outcome.ok, outcome.hosts

    with ThreadPoolExecutor(8) as threads:
        for number, (ok, hosts) in enumerate(threads.map(one, range(40))):
            assert ok is (number % 2 == 0)
            assert hosts == (f"127.0.0.{1 + number % 2}:{web.port}",)


def test_nothing_is_left_of_a_sandbox_with_network(kind, web, own_tempdir) -> None:
    threads = threading.active_count()
    descriptors = len(os.listdir("/proc/self/fd"))  # noqa: PTH208 - only how many
    with open_sandbox(kind, size=1) as sandbox:
        assert call(sandbox, GET, {"127.0.0.1"}, url=f"http://127.0.0.1:{web.port}/").hosts
        assert list(own_tempdir.glob("toolguild-egress-*"))
    assert not list(own_tempdir.iterdir())
    assert threading.active_count() <= threads
    assert len(os.listdir("/proc/self/fd")) <= descriptors  # noqa: PTH208 - as above


def test_without_namespaces_there_is_no_network() -> None:
    with LocalSandbox(size=1, isolation=Isolation(("landlock", "seccomp"))) as weaker:
        with pytest.raises(SandboxUnavailableError, match=r"network.*without user namespaces"):
            call(weaker, GET, None, url="http://example.org/")
        assert call(weaker, "def tool(): return 1", None, needs=frozenset()).ok


def test_hosts_are_checked_where_they_are_given() -> None:
    with pytest.raises(ValueError, match="cannot allow the host"):
        Access(hosts=frozenset({"https://example.org"}))


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "[::1]", "2130706433", "169.254.169.254"]
)
def test_all_public_hosts_are_none_of_this_machine(sandbox, web, host) -> None:
    outcome = call(sandbox, GET, None, url=f"http://{host}:{web.port}/")
    assert outcome.status is Status.ERROR


def test_programs_have_client_sockets_of_tcp_only(sandbox, web) -> None:
    outcome = call(sandbox, OTHER_SOCKETS, {f"localhost:{web.port}"})
    assert outcome.value == [1, 1, 2, 2, 10, 16, 17, 38, "server"]
