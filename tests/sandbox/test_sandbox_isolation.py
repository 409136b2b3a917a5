"""What a program cannot reach: the network, files to write, the host, and earlier runs."""

from __future__ import annotations

import os
import textwrap
from pathlib import Path

import pytest

from toolguild.policies import Tier
from toolguild.sandbox import Program, Status, open_sandbox


@pytest.mark.parametrize("family", ["AF_INET", "AF_INET6", "AF_UNIX", "AF_NETLINK", "AF_VSOCK"])
def test_no_socket_of_any_family_can_be_made(run, family) -> None:
    source = f"import socket\ndef tool(): return repr(socket.socket(socket.{family}))"
    outcome = run(source)
    assert outcome.status is Status.ERROR
    assert outcome.error.startswith("PermissionError")


def test_names_are_not_resolved_and_nothing_is_fetched(run) -> None:
    source = """
    import socket, urllib.request
    def tool():
        errors = []
        for attempt in (
            lambda: socket.gethostbyname("example.com"),
            lambda: socket.create_connection(("127.0.0.1", 80), timeout=2),
            lambda: urllib.request.urlopen("http://169.254.169.254/", timeout=2),
        ):
            try:
                attempt()
            except OSError as error:
                errors.append(type(error).__name__)
        return errors
    """
    assert len(run(source).value) == 3


def test_nothing_can_be_written_anywhere(run, tmp_path) -> None:
    source = """
    import os, sys
    def tool(places):
        written = []
        for folder in [*places, *sys.path]:
            path = os.path.join(folder, "written-by-a-program")
            for make in (lambda: open(path, "w").write("x"), lambda: os.mkdir(path),
                         lambda: os.symlink("/etc/passwd", path), lambda: os.mkfifo(path)):
                try:
                    make()
                    written.append(path)
                except OSError:
                    pass
        return written
    """
    places = ["/tmp", "/dev/shm", "/dev", "/var/tmp", "/run", "/", ".", "/etc", "/root", "/home"]
    outcome = run(source, {"places": [*places, str(tmp_path), str(Path.cwd())]})
    assert outcome.value == []
    assert not list(tmp_path.iterdir())


def test_what_is_there_cannot_be_changed(run) -> None:
    source = """
    import json, os
    def tool():
        refused = 0
        for change in (
            lambda: os.unlink(json.__file__),
            lambda: os.rename(json.__file__, json.__file__ + "x"),
            lambda: os.chmod(json.__file__, 0o777),
            lambda: os.truncate(json.__file__, 0),
            lambda: os.utime(json.__file__),
            lambda: os.link(json.__file__, "/link"),
        ):
            try:
                change()
            except OSError:
                refused += 1
        return refused
    """
    assert run(source).value == 6


def test_files_of_the_host_cannot_be_read(run, tmp_path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("SBX")
    source = """
    def tool(paths):
        read = []
        for path in paths:
            try:
                read.append([path, open(path).read(100)])
            except OSError:
                pass
        return read
    """
    paths = [
        str(secret),
        "/etc/shadow",
        "/proc/1/environ",
        "/proc/1/mem",
        __file__,
    ]
    assert run(source, {"paths": paths}).value == []


def test_installed_packages_of_the_host_are_not_there(run) -> None:
    source = """
    import importlib, sys, sysconfig
    def tool():
        sys.path += [sysconfig.get_path("purelib"), "/usr/lib/python3/dist-packages"]
        found = []
        for name in ("pip", "pydantic", "docker", "toolguild", "setuptools"):
            try:
                importlib.import_module(name)
                found.append(name)
            except (ImportError, OSError):
                pass
        return found
    """
    assert run(source).value == []


def test_the_environment_of_the_host_is_invisible(kind, monkeypatch) -> None:
    monkeypatch.setenv("SBX_CANARY", "sbx-canary-value")
    source = """
    import ctypes, os
    def tool():
        seen = dict(os.environ)
        try:
            seen["proc"] = open("/proc/self/environ").read()
        except OSError:
            pass
        libc = ctypes.CDLL(None)
        libc.getenv.restype = ctypes.c_char_p
        seen["libc"] = repr(libc.getenv(b"SBX_CANARY"))
        return seen
    """
    with open_sandbox(kind, size=1) as sandbox:
        program = Program(textwrap.dedent(source), "tool", walled=False)
        seen = sandbox.run(program, {}, tier=Tier.FULL).value
    assert "sbx-canary-value" not in repr(seen)
    assert seen["libc"] == "None"
    assert {
        "HOME",
        "LANG",
        "LC_ALL",
        "MALLOC_ARENA_MAX",
        "OMP_NUM_THREADS",
        "PATH",
        "PYTHONHASHSEED",
        "TZ",
    } == (seen.keys() - {"libc", "proc"})


def test_no_privilege_is_left(run) -> None:
    source = """
    import ctypes, os, resource
    def tool():
        libc = ctypes.CDLL(None, use_errno=True)
        header = (ctypes.c_uint32 * 2)(0x20080522, 0)
        sets = (ctypes.c_uint32 * 6)()
        libc.capget(header, sets)
        no_new_privs, seccomp, dumpable = 39, 21, 3
        return [
            list(sets), libc.prctl(no_new_privs, 0, 0, 0, 0), libc.prctl(seccomp),
            libc.prctl(dumpable), os.getuid(), resource.getrlimit(resource.RLIMIT_CORE),
        ]
    """
    capabilities, no_new_privs, seccomp, dumpable, uid, core = run(source).value
    assert capabilities == [0] * 6
    assert (no_new_privs, seccomp, dumpable, core) == (1, 2, 0, [0, 0])
    assert uid != 0


# Numbers of x86_64; on other machines they name other calls, which a program may well make.
@pytest.mark.skipif(os.uname().machine != "x86_64", reason="numbers of x86_64")
@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("ptrace", (101, 16, 1, 0, 0)),
        ("mount", (165, b"none", b"/tmp", b"tmpfs", 0, 0)),
        ("unshare(user)", (272, 0x10000000)),
        ("setns", (308, 0, 0)),
        ("clone(user)", (56, 0x10000000 | 17, 0, 0, 0, 0)),
        ("clone(process)", (56, 17, 0, 0, 0, 0)),
        ("clone3", (435, 0, 0)),
        ("io_uring_setup", (425, 8, 0)),
        ("keyctl", (250, 0, 0)),
        ("add_key", (248, b"user", b"x", b"y", 1, 0)),
        ("bpf", (321, 0, 0, 0)),
        ("userfaultfd", (323, 0)),
        ("perf_event_open", (298, 0, 0, 0, 0, 0)),
        ("process_vm_readv", (310, 1, 0, 0, 0, 0, 0)),
        ("kexec_load", (246, 0, 0, 0)),
        ("init_module", (175, 0, 0, 0)),
        ("open_by_handle_at", (304, 0, 0, 0)),
        ("memfd_create", (319, b"x", 0)),
        ("shmget", (29, 0, 4096, 0o1600)),
        ("chroot", (161, b"/")),
        ("sethostname", (170, b"x", 1)),
        ("clock_settime", (227, 0, 0)),
        ("prlimit64 of pid 1", (302, 1, 7, 0, 0)),
        ("sched_setaffinity of pid 1", (203, 1, 8, 0)),
        ("setpriority", (141, 0, 1, 19)),
        ("prctl(PDEATHSIG)", (157, 1, 0, 0, 0, 0)),
        ("prctl(DUMPABLE)", (157, 4, 1, 0, 0, 0)),
        ("prctl(DUMPABLE), high bits set", (157, (1 << 32) | 4, 1, 0, 0, 0)),
        ("execve", (59, b"/usr/bin/python3", 0, 0)),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_dangerous_system_calls_are_refused(run, name, arguments) -> None:
    wrapped = ", ".join(
        repr(a) if isinstance(a, bytes) else f"ctypes.c_long({a})" for a in arguments
    )
    source = f"""
    import ctypes
    def tool():
        libc = ctypes.CDLL(None, use_errno=True)
        return [libc.syscall({wrapped}), ctypes.get_errno()]
    """
    eperm, enosys = 1, 38
    result, errno = run(source).value
    assert result == -1
    assert errno in (eperm, enosys)


@pytest.mark.skipif(os.uname().machine != "x86_64", reason="machine code of x86_64")
def test_system_calls_of_another_architecture_end_the_process(run) -> None:
    # int 0x80 enters the kernel through its 32-bit table, where 20 is getpid.
    source = """
    import ctypes, mmap
    def tool():
        code = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
        code.write(b"\\xb8\\x14\\x00\\x00\\x00\\xcd\\x80\\xc3")
        address = ctypes.addressof(ctypes.c_char.from_buffer(code))
        return ctypes.CFUNCTYPE(ctypes.c_int)(address)()
    """
    outcome = run(source)
    assert outcome.status is Status.KILLED
    assert outcome.error == "The program's process died of SIGSYS."


class TestNothingOfAnEarlierRun:
    """Each program runs twice over: one run plants, those after it look."""

    @pytest.mark.parametrize(
        ("plant", "look", "expected"),
        [
            ("import math; math.pi = 3", "import math; seen = math.pi", 3.141592653589793),
            (
                "import json; json.dumps = lambda *a, **k: '42'",
                "import json; seen = json.dumps([1])",
                "[1]",
            ),
            ("import sys; sys.planted = 1", "import sys; seen = hasattr(sys, 'planted')", False),
            (
                "import sys, types; sys.modules['statistics'] = types.ModuleType('statistics')",
                "import statistics; seen = statistics.mean([1, 3])",
                2,
            ),
            ("import builtins; builtins.len = None", "seen = len('ab')", 2),
            (
                "import os; os.environ['PLANTED'] = '1'",
                "import os; seen = os.environ.get('PLANTED')",
                None,
            ),
            ("import os; os.umask(0)", "import os; seen = os.umask(0)", 0o22),
            (
                "import decimal; decimal.getcontext().prec = 2",
                "import decimal; seen = decimal.getcontext().prec",
                28,
            ),
            (
                "import gc, sys; gc.disable(); sys.setrecursionlimit(99)",
                "import gc, sys; seen = [gc.isenabled(), sys.getrecursionlimit()]",
                [True, 1000],
            ),
            (
                "import signal; signal.signal(signal.SIGALRM, print); signal.alarm(1)",
                "import signal; seen = [signal.alarm(0), signal.getsignal(14) is signal.SIG_DFL]",
                [0, True],
            ),
            (
                "import threading, time; threading.Thread(target=time.sleep, args=[9]).start()",
                "import threading; seen = threading.active_count()",
                1,
            ),
            (
                "import resource; resource.setrlimit(resource.RLIMIT_NOFILE, (16, 16))",
                "import resource; seen = resource.getrlimit(resource.RLIMIT_NOFILE)",
                [128, 128],
            ),
        ],
        ids=lambda value: value.split(";")[-1].strip()[:30] if isinstance(value, str) else "",
    )
    def test_is_left(self, run, plant, look, expected) -> None:
        planted = run(f"def tool():\n    {plant}\n    return 'planted'")
        assert planted.value == "planted"
        for _ in range(2):
            assert run(f"def tool():\n    {look}\n    return seen").value == expected


def test_the_worker_module_is_out_of_the_programs_sight(run) -> None:
    source = """
    import sys
    def tool():
        return sorted(name for name in sys.modules if "toolguild" in name or "sandbox" in name)
    """
    assert run(source).value == []


def test_only_the_programs_own_descriptors_are_open(run) -> None:
    source = """
    import os
    def tool():
        found = []
        for number in range(200):
            try:
                os.fstat(number)
                found.append(number)
            except OSError:
                pass
        return [found, os.read(0, 100).decode()]
    """
    assert run(source).value == [[0, 1, 2, 3, 4], ""]


def test_the_host_is_told_nothing_by_paths(run) -> None:
    source = """
    import os
    def tool():
        seen = []
        for path in ("/work", "/home", "/opt/venv", "/var/run/docker.sock"):
            if os.path.exists(path):
                seen.append(path)
        return seen
    """
    assert run(source).value == []
