"""A program in a network namespace of its own, under both filters: the proxy is its only way out.

What a worker with network consists of is put together here by hand, of the real parts.
"""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap
from collections.abc import Callable
from typing import Any

import pytest

_WORKER = """
import json, os, select, sys
from toolguild.sandbox.linux import kernel, namespaces, seccomp
from toolguild.sandbox.network import relay
from toolguild.sandbox.network.loopback import bring_up_loopback
from toolguild.sandbox.network.filters import network_profile, network_program

path, certificates, source = sys.argv[1:]
machine = os.uname().machine
worker_filter = seccomp.assemble(network_profile()[1], machine)
program_filter = seccomp.assemble(network_program(), machine)
kernel.forbid_new_privileges()
namespaces.enter()
bring_up_loopback()
if inside := os.fork():
    os._exit(os.waitstatus_to_exitcode(os.waitpid(inside, 0)[1]))
kernel.drop_capabilities()
seccomp.Filter(worker_filter).install()
passing = relay.Relay(path)
program = os.fork()
if not program:
    os.closerange(3, 128)
    program_filter = seccomp.Filter(program_filter)
    program_filter.fit(os.getpid())
    program_filter.install()
    os.environ.update(relay.ENVIRONMENT)
    os.environ.update(SSL_CERT_FILE=certificates, REQUESTS_CA_BUNDLE=certificates)
    try:
        namespace = {}
        exec(source, namespace)
        print(json.dumps(namespace["tool"]()))
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(0)
while not os.waitpid(program, os.WNOHANG)[0]:
    if select.select([passing], [], [], 0.02)[0]:
        passing.serve()
assert not passing.failure, passing.failure
passing.cut()
os._exit(0)
"""


@pytest.fixture
def run_inside(open_egress, certificate) -> Callable[..., Any]:
    """Return what runs a program's `tool()` inside, and gives its value and whom it asked for."""

    def run(source: str, hosts: frozenset[str] | None) -> tuple[Any, tuple[str, ...]]:
        opened = open_egress()
        opened.begin_run(hosts)
        done = subprocess.run(
            [sys.executable, "-c", _WORKER, opened.socket_path, certificate,
             textwrap.dedent(source)],
            capture_output=True, text=True, timeout=100,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        assert done.stdout, done.stderr
        return json.loads(done.stdout), opened.end_run()

    return run


@pytest.fixture
def secure(web_servers, certificate):
    with web_servers(certificate=certificate) as web:
        yield web


CLIENTS = {
    "urllib": """
        import urllib.request
        def get(url):
            return urllib.request.urlopen(url, timeout=20).read().decode()
    """,
    "http.client": """
        import http.client, os, ssl, urllib.parse
        def get(url):
            whole = urllib.parse.urlsplit(url)
            proxy = urllib.parse.urlsplit(os.environ["HTTP_PROXY"])
            if whole.scheme == "https":
                trust = ssl.create_default_context()
                connection = http.client.HTTPSConnection(proxy.hostname, proxy.port, context=trust)
                connection.set_tunnel(whole.hostname, whole.port)
                connection.request("GET", whole.path)
            else:
                connection = http.client.HTTPConnection(proxy.hostname, proxy.port)
                connection.request("GET", url)
            return connection.getresponse().read().decode()
    """,
    "asyncio": """
        import asyncio, os, ssl, urllib.parse
        async def fetch(url):
            whole = urllib.parse.urlsplit(url)
            proxy = urllib.parse.urlsplit(os.environ["HTTPS_PROXY"])
            reader, writer = await asyncio.open_connection(proxy.hostname, proxy.port)
            target = f"{whole.hostname}:{whole.port}"
            writer.write(f"CONNECT {target} HTTP/1.1\\r\\nHost: {target}\\r\\n\\r\\n".encode())
            await reader.readuntil(b"\\r\\n\\r\\n")
            if whole.scheme == "https":
                await writer.start_tls(
                    ssl.create_default_context(), server_hostname=whole.hostname
                )
            writer.write(f"GET / HTTP/1.0\\r\\nHost: {target}\\r\\n\\r\\n".encode())
            text = (await reader.read()).decode()
            writer.close()
            return text.partition("\\r\\n\\r\\n")[2]
        def get(url):
            return asyncio.run(fetch(url))
    """,
    "requests": """
        import requests
        def get(url):
            return requests.get(url, timeout=20).text
    """,
    "httpx2": """
        import httpx2
        def get(url):
            return httpx2.get(url, timeout=20).text
    """,
    "httpx2 with asyncio": """
        import asyncio, httpx2
        async def fetch(url):
            async with httpx2.AsyncClient(timeout=20) as client:
                return (await client.get(url)).text
        def get(url):
            return asyncio.run(fetch(url))
    """,
}


@pytest.mark.parametrize("client", CLIENTS)
def test_clients_work_without_a_word_about_the_proxy(client, run_inside, web, secure) -> None:
    urls = [f"http://web.test:{web.port}/", f"https://web.test:{secure.port}/"]
    source = textwrap.dedent(CLIENTS[client]) + f"def tool(): return [get(url) for url in {urls}]"
    hosts = frozenset({f"web.test:{web.port}", f"web.test:{secure.port}"})
    value, asked = run_inside(source, hosts)
    assert value == ["you said: ", "you said: "]
    assert asked == (f"web.test:{web.port}", f"web.test:{secure.port}")


def test_a_server_is_believed_by_its_certificate_only(run_inside, secure) -> None:
    source = f"""
        import urllib.request
        def tool():
            try: urllib.request.urlopen("https://127.0.0.1:{secure.port}/")
            except OSError as error: return str(error)
    """
    value, _ = run_inside(source, frozenset({f"127.0.0.1:{secure.port}"}))
    assert "certificate is not valid for '127.0.0.1'" in value


def test_what_is_refused_says_so_to_the_program(run_inside) -> None:
    source = """
        import urllib.error, urllib.request
        def tool():
            said = []
            for scheme in ("http", "https"):
                try: urllib.request.urlopen(f"{scheme}://evil.test/")
                except OSError as error: said.append(str(error))
            return said
    """
    value, asked = run_inside(source, frozenset({"web.test"}))
    for said in value:
        assert "evil.test" in said
        assert "Access(hosts={'evil.test'})" in said
    assert asked == ("evil.test:80", "evil.test:443")


def test_there_is_no_other_way_out(run_inside, web) -> None:
    source = f"""
        import socket
        def tool():
            said = {{}}
            def attempt(name, action):
                try: said[name] = repr(action())
                except OSError as error: said[name] = type(error).__name__ + ": " + str(error)
            def connect(address):
                socket.create_connection(address, timeout=5)
            attempt("the server", lambda: connect(("127.0.0.1", {web.port})))
            attempt("outside", lambda: connect(("192.0.2.1", 80)))
            attempt("names", lambda: socket.getaddrinfo("web.test", 80))
            attempt("version 6", lambda: socket.socket(socket.AF_INET6))
            attempt("files", lambda: socket.socket(socket.AF_UNIX))
            attempt("datagrams", lambda: socket.socket(type=socket.SOCK_DGRAM))
            attempt("raw", lambda: socket.socket(type=socket.SOCK_RAW))
            attempt("netlink", lambda: socket.socket(socket.AF_NETLINK, socket.SOCK_RAW))
            attempt("packets", lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW))
            attempt("pairs", lambda: socket.socketpair(type=socket.SOCK_DGRAM))
            attempt("listening", lambda: socket.create_server(("127.0.0.1", 0)))
            attempt("options", lambda: socket.socket().setsockopt(6, 31, b"tls"))
            return said
    """
    value, asked = run_inside(source, None)
    assert value.pop("the server").startswith("ConnectionRefusedError")
    assert "unreachable" in value.pop("outside")
    assert value.pop("names").startswith("gaierror")
    assert set(value) == {
        "version 6", "files", "datagrams", "raw", "netlink", "packets", "pairs", "listening",
        "options",
    }  # fmt: skip
    for name, said in value.items():
        assert said.startswith("PermissionError"), name
    assert asked == ()


def test_what_a_program_leaves_open_does_not_keep_it(run_inside, silent) -> None:
    source = f"""
        import socket
        def tool():
            held = []
            target = b"web.test:{silent.port}"
            for _ in range(40):
                connection = socket.create_connection(("127.0.0.1", 3128))
                connection.sendall(b"CONNECT %s HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n" % target)
                held.append(connection)
            return held[0].recv(12).decode()
    """
    value, asked = run_inside(source, frozenset({f"web.test:{silent.port}"}))
    assert value == "HTTP/1.1 200"
    assert asked == (f"web.test:{silent.port}",)
    with silent.accept() as peer:
        assert peer.recv(1) == b""
