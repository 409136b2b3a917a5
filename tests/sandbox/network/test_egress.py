"""One egress for many runs: nothing of one reaches the next, and nothing is left behind."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import tempfile
import threading

import pytest

from toolguild.sandbox import SandboxUnavailableError, shown
from toolguild.sandbox.network import relay
from toolguild.sandbox.network.egress import Egress
from toolguild.sandbox.owner import Owner

PATIENCE_S = 20.0


class TestRuns:
    def test_what_was_asked_for_is_kept_refused_or_not(self, open_egress, web) -> None:
        opened = open_egress()
        opened.begin_run(frozenset({f"web.test:{web.port}"}))
        opened.request(f"http://WEB.test:{web.port}/")
        opened.request("http://[::0001]/")
        opened.request(f"http://web.test.:{web.port}/")
        opened.request("http://other.test/")
        assert opened.end_run() == (f"web.test:{web.port}", "[::1]:80", "other.test:80")
        assert opened.end_run() == ()
        opened.begin_run(None)
        assert opened.end_run() == ()

    def test_of_many_hosts_the_first_hundred_are_kept(self, open_egress) -> None:
        opened = open_egress()
        opened.begin_run(frozenset())
        for number in range(105):
            opened.request(f"http://h{number}.test/")
        assert opened.end_run() == tuple(f"h{number}.test:80" for number in range(100))

    def test_the_end_of_a_run_cuts_its_connections(self, open_egress, silent) -> None:
        opened = open_egress()
        opened.begin_run(frozenset({f"web.test:{silent.port}"}))
        with contextlib.ExitStack() as stack:
            ends = []
            for _ in range(5):
                ends.append(stack.enter_context(opened.tunnel(f"web.test:{silent.port}")))
                ends.append(stack.enter_context(silent.accept()))
            half = stack.enter_context(opened.dial())
            half.sendall(b"GET http://web.")
            opened.end_run()
            for each in (*ends, half):
                assert opened.drain(each) == b""

    def test_between_runs_nobody_gets_in(self, open_egress) -> None:
        opened = open_egress()
        with pytest.raises(OSError, match="No such file"):
            opened.dial()
        opened.begin_run(None)
        opened.end_run()
        with pytest.raises(ConnectionRefusedError):
            opened.dial()

    def test_what_one_run_sent_is_not_carried_out_in_the_next(self, open_egress, web) -> None:
        opened = open_egress()
        request = f"GET http://web.test:{web.port}/late HTTP/1.1\r\nHost: x\r\n\r\n".encode()
        blocked, resume = threading.Event(), threading.Event()

        def block() -> None:
            blocked.set()
            resume.wait(PATIENCE_S)

        opened.begin_run(frozenset())
        opened._loop.call_soon_threadsafe(block)
        assert blocked.wait(PATIENCE_S)
        # With the loop held up, these wait to be accepted while their run ends.
        with contextlib.ExitStack() as stack:
            for _ in range(5):
                late = stack.enter_context(opened.dial())
                late.sendall(request)
            threading.Timer(0.2, resume.set).start()
            opened.end_run()
            opened.begin_run(frozenset({f"web.test:{web.port}"}))
            assert opened.request(f"http://web.test:{web.port}/now").status == 200
        assert [seen.path for seen in web.seen] == ["/now"]
        assert opened.end_run() == (f"web.test:{web.port}",)

    def test_without_descriptors_programs_are_turned_away(self) -> None:
        # In a process of its own: here, others open and close some too.
        done = subprocess.run(
            [sys.executable, "-c", _STARVED], capture_output=True, text=True, timeout=60
        )
        assert done.stdout == "turned away\nrefused\nserved again\n", done.stderr

    def test_each_run_has_hosts_of_its_own(self, open_egress, web) -> None:
        opened = open_egress()
        url = f"http://web.test:{web.port}/"
        for hosts, status in [(frozenset({f"web.test:{web.port}"}), 200), (frozenset(), 403)] * 3:
            opened.begin_run(hosts)
            assert opened.request(url).status == status
            opened.end_run()

    def test_hosts_that_are_none_are_the_callers_mistake(self, open_egress) -> None:
        with pytest.raises(ValueError, match="cannot allow"):
            open_egress().begin_run(frozenset({"https://example.org"}))

    def test_a_forked_copy_of_the_process_keeps_no_connection_open(self) -> None:
        # In a process of its own: this one has threads.
        done = subprocess.run(
            [sys.executable, "-W", "ignore", "-c", _FORKED],
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.stdout == "kept\ncut\nremoved\n", done.stderr


_FORKED = """
import os, signal, socket
from ipaddress import ip_address
from toolguild.sandbox.network.egress import Egress
server = socket.create_server(("127.0.0.1", 0))
target = f"127.0.0.1:{server.getsockname()[1]}"
egress = Egress()
egress.begin_run(frozenset({target}))
client = socket.socket(socket.AF_UNIX)
client.connect(str(egress.directory / "egress.sock"))
client.sendall(f"CONNECT {target} HTTP/1.1\\r\\nHost: {target}\\r\\n\\r\\n".encode())
peer = server.accept()[0]
assert client.recv(100).startswith(b"HTTP/1.1 200 ")
told, tell = os.pipe()
copy = os.fork()
if copy == 0:
    client.close(), peer.close(), server.close()
    egress.close()
    os.write(tell, b"x")
    signal.pause()
try:
    os.read(told, 1)
    if egress.directory.exists(): print("kept")
    egress.end_run()
    client.settimeout(20), peer.settimeout(20)
    assert client.recv(1) == peer.recv(1) == b""
    late = socket.socket(socket.AF_UNIX)
    try: late.connect(str(egress.directory / "egress.sock"))
    except ConnectionRefusedError: print("cut")
    egress.close()
    if not egress.directory.parent.exists(): print("removed")
finally:
    os.kill(copy, signal.SIGKILL)
    os.waitpid(copy, 0)
"""


_STARVED = """
import os, resource, socket
from toolguild.sandbox.network.egress import Egress
def dial():
    connection = socket.socket(socket.AF_UNIX)
    connection.settimeout(20)
    return connection
with Egress() as egress:
    path = str(egress.directory / "egress.sock")
    egress.begin_run(frozenset())
    first, second = dial(), dial()
    lowest_free = os.dup(0)
    os.close(lowest_free)
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (lowest_free, limits[1]))
    first.connect(path)
    try: assert first.recv(1) == b""
    except ConnectionResetError: pass
    print("turned away")
    resource.setrlimit(resource.RLIMIT_NOFILE, limits)
    try: second.connect(path)
    except ConnectionRefusedError: print("refused")
    assert egress.end_run() == ()
    egress.begin_run(frozenset())
    third = dial()
    third.connect(path)
    third.sendall(b"GET http://a.test/ HTTP/1.1\\r\\nHost: a.test\\r\\n\\r\\n")
    assert third.recv(13) == b"HTTP/1.1 403 "
    print("served again")
"""


class TestDirectory:
    def test_nobody_else_on_this_machine_gets_in(self, open_egress) -> None:
        opened = open_egress()
        opened.begin_run(None)
        private = opened.directory.parent
        assert private.stat().st_mode & 0o777 == 0o700
        assert private.stat().st_uid == os.geteuid()
        # But whoever is shown the directory inside it may use it, and not change it.
        assert opened.directory.stat().st_mode & 0o777 == 0o711
        assert opened.socket_path.stat().st_mode & 0o777 == 0o666

    def test_it_holds_the_certificates_that_programs_trust(self, tmp_path) -> None:
        bundle = tmp_path / "bundle.pem"
        bundle.write_text("certificates")
        bundle.chmod(0o600)
        with Egress(certificates=bundle) as opened:
            copy = opened.directory / relay.CERTIFICATES
            assert copy.read_text() == "certificates"
            assert copy.stat().st_mode & 0o777 == 0o644

    def test_it_is_gone_in_the_end(self) -> None:
        with Egress() as opened:
            opened.begin_run(None)
            private = opened.directory.parent
        assert not private.exists()
        opened.close()
        with pytest.raises(SandboxUnavailableError, match="closed"):
            opened.begin_run(None)

    def test_closing_ends_a_run_that_is_under_way(self, open_egress) -> None:
        others = set(threading.enumerate())
        opened = open_egress()
        opened.begin_run(frozenset())
        opened.request("http://web.test/")
        with opened.dial() as waiting:
            opened.close()
            assert opened.drain(waiting) == b""
        left = {thread.name for thread in set(threading.enumerate()) - others}
        assert "toolguild-egress" not in left
        # Whoever had begun the run still learns what it asked for.
        assert opened.end_run() == ("web.test:80",)

    def test_without_room_the_sandbox_is_unavailable(self, tmp_path, monkeypatch) -> None:
        deep = tmp_path / ("x" * 100)
        deep.mkdir()
        monkeypatch.setattr(tempfile, "tempdir", str(deep))
        with Egress() as opened, pytest.raises(SandboxUnavailableError, match="TMPDIR"):
            opened.begin_run(None)
        monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "none"))
        with pytest.raises(SandboxUnavailableError, match="TMPDIR"):
            Egress()

    def test_what_ended_processes_left_is_removed(self, tmp_path, monkeypatch) -> None:
        monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
        gone = Owner(Owner.current().machine, 2**22 + 1, "1")
        for name, owner in (("left", gone), ("living", Owner.current()), ("odd", "who knows")):
            private = tmp_path / f"toolguild-egress-{name}"
            (private / "shown").mkdir(parents=True)
            (private / "owner").write_text(str(owner))
        elsewhere = tmp_path / "elsewhere"
        elsewhere.mkdir()
        (elsewhere / "owner").write_text(str(gone))
        (tmp_path / "toolguild-egress-link").symlink_to(elsewhere)
        everything = {path.name for path in tmp_path.iterdir()}
        with monkeypatch.context() as patch:
            patch.setattr(os, "geteuid", lambda: 12345)  # then nothing of it is ours
            shown.remove_orphans.__wrapped__("toolguild-egress-")
        assert {path.name for path in tmp_path.iterdir()} == everything
        shown.remove_orphans.cache_clear()
        with Egress() as opened:
            kept = {path.name for path in tmp_path.iterdir()} - {opened.directory.parent.name}
        assert kept == everything - {"toolguild-egress-left"}
        assert (elsewhere / "owner").exists()
