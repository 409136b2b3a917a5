"""Programs with network in real sandboxes: they reach the hosts that they may, and nothing else."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Iterator

import pytest

from toolguild.policies import Capability, Tier
from toolguild.sandbox import (
    Access,
    Outcome,
    Program,
    Sandbox,
    SandboxUnavailableError,
    Status,
    open_sandbox,
)
from toolguild.sandbox.local import Isolation, LocalSandbox

NETWORK = frozenset({Capability.NETWORK})

FETCH = """
import urllib.request
def tool(url):
    with urllib.request.urlopen(url, timeout=5) as answer:
        return answer.read().decode()
"""
CONNECT = """
import socket
def tool(host, port):
    with socket.create_connection((host, port), 2) as connection:
        return connection.getpeername()[1]
"""
HOLD = """
import socket
def tool(port):
    kept = [socket.create_connection(("127.0.0.1", 3128), 2) for _ in range(40)]
    kept[0].sendall(b"CONNECT 127.0.0.1:%d HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n" % port)
    return kept[0].recv(12).decode()
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


class Hello(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "5")
        self.end_headers()
        self.wfile.write(b"hello")

    def log_message(self, format: str, *arguments: object) -> None:
        pass


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    """A server of this machine's, which no program could reach by itself."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hello) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_address[1]
        server.shutdown()


def run(
    sandbox: Sandbox,
    source: str,
    access: Access,
    tier: Tier = Tier.FULL,
    needs: frozenset[Capability] = NETWORK,
    **arguments: str | int,
) -> Outcome:
    program = Program(source, "tool", walled=False, needs=needs)
    return sandbox.run(program, arguments, tier=tier, access=access)


def to(port: int) -> Access:
    return Access(hosts=frozenset({f"127.0.0.1:{port}"}))


def test_a_program_reaches_a_host_that_it_may(sandbox: Sandbox, port: int) -> None:
    outcome = run(sandbox, FETCH, to(port), url=f"http://127.0.0.1:{port}/")
    assert outcome.value == "hello"
    assert outcome.hosts == (f"127.0.0.1:{port}",)
    assert outcome.effects == NETWORK


@pytest.mark.parametrize(
    ("tier", "needs", "access"),
    [
        (Tier.SANDBOX, NETWORK, None),
        (Tier.RESTRICTED, NETWORK, None),
        (Tier.FULL, frozenset(), None),
        (Tier.FULL, NETWORK, Access()),
    ],
)
def test_who_lacks_tier_need_or_access_gets_no_socket(
    sandbox: Sandbox,
    port: int,
    tier: Tier,
    needs: frozenset[Capability],
    access: Access | None,
) -> None:
    given = to(port) if access is None else access
    url = f"http://127.0.0.1:{port}/"
    outcome = run(sandbox, FETCH, given, tier, needs, url=url)
    assert outcome.status is Status.ERROR
    assert outcome.hosts == ()


def test_every_other_host_is_refused_and_told(sandbox: Sandbox, port: int) -> None:
    access = Access(hosts=frozenset({"example.org"}))
    outcome = run(sandbox, FETCH, access, url=f"http://127.0.0.1:{port}/")
    assert outcome.status is Status.ERROR
    assert "403" in outcome.error
    assert outcome.hosts == (f"127.0.0.1:{port}",)


def test_all_public_hosts_are_none_of_this_machine(sandbox: Sandbox, port: int) -> None:
    for host in ("127.0.0.1", "localhost", "[::1]", "2130706433", "169.254.169.254"):
        outcome = run(sandbox, FETCH, Access(hosts=None), url=f"http://{host}:{port}/")
        assert outcome.status is Status.ERROR, host


def test_there_is_no_way_around_the_proxy(sandbox: Sandbox, port: int) -> None:
    outcome = run(sandbox, CONNECT, to(port), host="127.0.0.1", port=port)
    assert outcome.status is Status.ERROR


def test_programs_have_client_sockets_of_tcp_only(sandbox: Sandbox, port: int) -> None:
    outcome = run(sandbox, OTHER_SOCKETS, to(port))
    assert outcome.value == [1, 1, 2, 2, 10, 16, 17, 38, "server"]


def test_the_next_run_has_its_own_hosts_and_no_connections(sandbox: Sandbox, port: int) -> None:
    held = run(sandbox, HOLD, to(port), port=port)
    assert held.value == "HTTP/1.1 200"
    refused = run(sandbox, FETCH, Access(hosts=None), url=f"http://127.0.0.1:{port}/")
    assert refused.status is Status.ERROR
    again = run(sandbox, FETCH, to(port), url=f"http://127.0.0.1:{port}/")
    assert again.value == "hello"


def test_hosts_that_are_none_are_the_callers_mistake() -> None:
    with pytest.raises(ValueError, match=r"http://example\.org/"):
        Access(hosts=frozenset({"http://example.org/"}))


def test_nothing_of_the_proxy_outlives_the_sandbox(kind: str, port: int) -> None:
    before = {thread.name for thread in threading.enumerate()}
    with open_sandbox("docker" if kind == "docker" else "local") as own:
        assert run(own, FETCH, to(port), url=f"http://127.0.0.1:{port}/").ok
    left = {thread.name for thread in threading.enumerate()} - before
    assert not {name for name in left if "egress" in name}


def test_without_a_network_namespace_there_is_no_network(port: int) -> None:
    isolation = Isolation(("landlock", "seccomp"))
    with (
        LocalSandbox(isolation=isolation) as weaker,
        pytest.raises(SandboxUnavailableError, match="user namespaces"),
    ):
        run(weaker, FETCH, to(port), url=f"http://127.0.0.1:{port}/")
