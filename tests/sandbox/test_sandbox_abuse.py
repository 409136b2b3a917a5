"""What hostile programs try that the other tests do not: files, text, memory, crashes, remnants."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from toolguild.policies import Tier
from toolguild.sandbox import Limits, Program, Status

BRIEF = Limits(wall_s=1)


def _still_works(run) -> bool:
    return run("def tool(): return 'alive'").value == "alive"


class TestProcesses:
    @pytest.mark.parametrize(
        "body",
        [
            "concurrent.futures.ProcessPoolExecutor(4).submit(print).result()",
            "multiprocessing.Pool(4).map(abs, [1])",
            "multiprocessing.get_context('spawn').Process(target=print).start()",
            "multiprocessing.get_context('forkserver').Process(target=print).start()",
            "multiprocessing.Manager().dict()",
            "os.popen('true').read()",
            "subprocess.run('true', shell=True)",
            "pty.fork()",
            "os.forkpty()",
            "asyncio.run(asyncio.create_subprocess_exec('true'))",
        ],
    )
    def test_none_comes_to_be(self, run, body) -> None:
        source = (
            "import asyncio, concurrent.futures, multiprocessing, os, pty, subprocess\n"
            f"def tool():\n    {body}\n    return 'done'"
        )
        outcome = run(source)
        assert outcome.status in (Status.ERROR, Status.TIMEOUT), outcome
        assert _still_works(run)

    @pytest.mark.parametrize("call", ["clone", "clone3", "vfork"])
    def test_none_comes_to_be_by_system_call(self, run, call) -> None:
        numbers = {
            "clone": (56, "17, 0, 0, 0, 0"),
            "clone3": (435, "buffer, 88"),
            "vfork": (58, ""),
        }
        if os.uname().machine != "x86_64":
            pytest.skip("the numbers are those of x86_64")
        number, arguments = numbers[call]
        source = f"""
        import ctypes
        def tool():
            buffer = (ctypes.c_uint64 * 11)(0, 0, 0, 0, 17)
            libc = ctypes.CDLL(None, use_errno=True)
            return libc.syscall({number}, {arguments.rstrip(", ") or "0"})
        """
        assert run(source).value == -1
        assert _still_works(run)

    @pytest.mark.parametrize(
        "wait", ["time.sleep(60)", "lock.acquire()", "[0 for _ in iter(int, 1)]"]
    )
    def test_threads_do_not_keep_a_run_alive(self, run, wait) -> None:
        source = f"""
        import threading, time
        def tool():
            lock = threading.Lock()
            lock.acquire()
            for _ in range(8):
                threading.Thread(target=lambda: {wait}).start()
            return "returned"
        """
        outcome = run(source, limits=Limits(wall_s=20))
        assert outcome.value == "returned"
        assert outcome.duration_s < 10


class TestFiles:
    @pytest.mark.parametrize(
        "name",
        [
            "plain", "a b", "\N{SNOWMAN}", "../up", "/absolute", "new\nline", "nul\0byte",
            "x" * 300, "-rf", ".hidden", "\udcff", "con", "a" * 100 + "/b",
        ],
        ids=ascii,
    )  # fmt: skip
    def test_no_name_can_be_written(self, run, name) -> None:
        source = f"""
        def tool():
            try:
                open({name!r}, "w").write("x")
            except (OSError, ValueError) as error:
                return type(error).__name__
        """
        assert run(source).value in {
            "FileNotFoundError", "OSError", "PermissionError", "UnicodeEncodeError", "ValueError",
            "NotADirectoryError",
        }  # fmt: skip
        assert not Path("/absolute").exists()

    @pytest.mark.parametrize(
        "body",
        [
            "os.symlink('/etc/shadow', 'link')",
            "os.link('/etc/passwd', 'hard')",
            "os.mkfifo('fifo')",
            "os.mknod('device', 0o600 | 0o020000, os.makedev(1, 3))",
            "os.truncate(os.open('sparse', os.O_CREAT | os.O_RDWR), 1 << 50)",
            "os.posix_fallocate(os.open('/dev/shm/x', os.O_CREAT | os.O_RDWR), 0, 1 << 30)",
            "os.memfd_create('m')",
            "os.open('.', os.O_TMPFILE | os.O_RDWR)",
            "os.sendfile(os.open('/tmp/o', os.O_CREAT | os.O_RDWR), 0, 0, 1)",
            "os.mkdir('deep')",
            "os.rename('/usr', '/moved')",
            "os.chmod('/', 0o777)",
            "os.setxattr('/', 'user.x', b'1')",
            "dbm.dumb.open('data', 'c')",
            "tempfile.TemporaryFile()",
            "tempfile.mkdtemp()",
        ],
    )
    def test_nothing_that_takes_a_place_on_a_disk_is_made(self, run, body) -> None:
        outcome = run(f"import dbm.dumb, os, tempfile\ndef tool():\n    {body}\n    return 'made'")
        assert outcome.status is Status.ERROR, outcome
        assert outcome.error.split(":")[0] in {
            "FileNotFoundError", "OSError", "PermissionError",
        }, outcome  # fmt: skip

    @pytest.mark.parametrize("path", ["/dev/zero", "/dev/urandom"])
    def test_endless_devices_fill_the_own_memory_only(self, run, path) -> None:
        source = f"def tool(): return len(open({path!r}, 'rb').read())"
        outcome = run(source, limits=Limits(wall_s=10, memory_mb=64))
        assert outcome.status in (Status.MEMORY, Status.TIMEOUT), outcome
        assert _still_works(run)


class TestSharedMemory:
    @pytest.mark.parametrize(
        "body",
        [
            "multiprocessing.shared_memory.SharedMemory(create=True, size=1 << 20)",
            "multiprocessing.Value('i', 1)",
            "multiprocessing.Semaphore()",
            "libc.check(libc.shmget(0, 1 << 20, 0o1600))",
            "libc.check(libc.semget(0, 1, 0o1600))",
            "libc.check(libc.msgget(0, 0o1600))",
            "libc.check(libc.mq_open(b'/q', 0o102, 0o600, None))",
        ],
    )
    def test_none_outlives_a_run(self, run, body) -> None:
        source = f"""
        import ctypes, multiprocessing, multiprocessing.shared_memory, os
        class Libc(ctypes.CDLL):
            def check(self, result):
                if result < 0:
                    raise OSError(ctypes.get_errno(), "refused")
        libc = Libc(None, use_errno=True)
        def tool():
            {body}
            return "made"
        """
        before = set(Path("/dev/shm").iterdir())
        outcome = run(source)
        assert outcome.status is Status.ERROR, outcome
        assert set(Path("/dev/shm").iterdir()) <= before

    def test_pages_shared_with_nobody_are_limited(self, run) -> None:
        source = """
        import mmap
        def tool():
            shared = mmap.mmap(-1, 40 << 20)
            for at in range(0, len(shared), 4096):
                shared[at] = 1
            return "filled"
        """
        assert run(source, limits=Limits(memory_mb=64)).value == "filled"
        assert run(source, limits=Limits(memory_mb=32)).status in (Status.ERROR, Status.MEMORY)


class TestText:
    @pytest.mark.parametrize(
        "written",
        [
            "sys.stdout.buffer.write(bytes(range(256)))",
            "sys.stdout.buffer.write(b'\\xed\\xa0\\x80')",
            "print('\\udcff'.encode('utf-8', 'surrogatepass'))",
            "sys.stdout.buffer.write(b'\\xf0\\x9f\\x92')",
            "print('\\x1b[2J\\x1b]0;title\\x07')",
            "print('\\0' * 100)",
        ],
    )
    def test_any_bytes_on_stdout_come_back_as_text(self, run, written) -> None:
        outcome = run(f"import sys\ndef tool():\n    {written}\n    return 1")
        assert outcome.value == 1, outcome
        assert outcome.stdout
        outcome.stdout.encode("utf-8")

    def test_text_that_stdout_cannot_carry_is_the_programs_error(self, run) -> None:
        outcome = run("def tool():\n    print('\\ud800')")
        assert outcome.status is Status.ERROR
        assert outcome.error.startswith("UnicodeEncodeError")

    @pytest.mark.parametrize("name", ["\N{SNOWMAN}", "\udcff", "a\nb", "\x1b[31m", "x" * 10_000])
    def test_any_name_of_an_exception_comes_back_as_text(self, run, name) -> None:
        outcome = run(
            f"def tool(): raise type({name.replace(chr(0xDCFF), '?')!r}, (Exception,), {{}})"
        )
        assert outcome.status is Status.ERROR
        outcome.error.encode("utf-8")
        assert len(outcome.error) < 5000

    @pytest.mark.parametrize(
        "source",
        [
            "", "\0", "\ufeffdef tool(): return 1\0", "def tool(:", "(" * 5000, "\x0c" * 10_000,
            "# -*- coding: rot13 -*-\nqrs gbby(): erghea 1", "def tool(): return \N{SNOWMAN}",
            "x = 1\n" * 100_000, "-" * 100_000 + "1", "tool = 42", "def tool(): return '\ud800'",
        ],
        ids=lambda source: ascii(source[:20]),
    )  # fmt: skip
    def test_no_text_of_a_program_harms_the_sandbox(self, run, sandbox, source) -> None:
        outcome = sandbox.run(Program(source, "tool", walled=False), {}, tier=Tier.FULL)
        assert outcome.status in (Status.ERROR, Status.MEMORY, Status.KILLED), outcome
        assert _still_works(run)


class TestCrashes:
    @pytest.mark.parametrize(
        "body",
        [
            "ctypes.string_at(0)",
            "ctypes.memset(id(None), 0, 64)",
            "ctypes.CDLL(None).abort()",
            "os.abort()",
            "faulthandler._sigsegv()",
            "faulthandler._stack_overflow()",
            "ctypes.CDLL(None).exit(0)",
            "ctypes.pythonapi.Py_FatalError(b'x')",
            "signal.raise_signal(signal.SIGSEGV)",
            "signal.setitimer(signal.ITIMER_REAL, 0.01); signal.pause()",
            "ctypes.CDLL(None).longjmp(None, 1)",
        ],
    )
    def test_end_the_own_process_only(self, run, body) -> None:
        source = f"import ctypes, faulthandler, os, signal\ndef tool():\n    {body}\n    return 1"
        outcome = run(source)
        assert outcome.status in (Status.KILLED, Status.ERROR), outcome
        assert _still_works(run)

    def test_endless_recursion_is_an_error_or_a_crash(self, run) -> None:
        source = """
        import sys
        sys.setrecursionlimit(10**9)
        def tool(n=0): return tool(n + 1)
        """
        outcome = run(source, limits=Limits(wall_s=10))
        assert outcome.status in (Status.ERROR, Status.KILLED, Status.MEMORY, Status.TIMEOUT)
        assert _still_works(run)


class TestRemnants:
    """A process starts as a copy of another: that one must hold nothing of any run."""

    # It looks for a text without ever holding it, or it would find itself: both the text and what
    # is searched have each byte raised by one.
    SCAN = """
    import ctypes, gc, os
    def tool(raised):
        raised = raised.encode()
        table = bytes((byte + 1) % 256 for byte in range(256))
        read, write = os.pipe()
        libc = ctypes.CDLL(None)
        anchors = {id(thing) >> 20 for thing in gc.get_objects()}
        anchors.add(ctypes.addressof(ctypes.create_string_buffer(1 << 16)) >> 20)
        seen = found = 0
        for megabyte in sorted({near + step for near in anchors for step in (-1, 0, 1)}):
            for page in range(megabyte << 20, megabyte + 1 << 20, 4096):
                # Asks the kernel whether the page is there.
                if libc.write(write, ctypes.c_void_p(page), ctypes.c_size_t(1)) == 1:
                    os.read(read, 1)
                    seen += 1
                    found += raised in ctypes.string_at(page, 4096).translate(table)
        return seen, found
    """
    SAID = "the-number-is-4711-in-this-run"
    RAISED = "".join(chr(ord(letter) + 1) for letter in SAID)
    LONG = Limits(wall_s=30)

    def test_no_memory_of_an_earlier_run_can_be_found(self, run) -> None:
        returned = "def tool(x):\n    print(x)\n    return [x, call_tool(x, {})]"
        failed = f"def tool(x):\n    {self.SAID!r}\n    raise ValueError(x)"
        for _ in range(3):
            assert run(returned, {"x": self.SAID}, tools=lambda name, arguments: name).ok
            assert run(failed, {"x": self.SAID}).status is Status.ERROR
        seen, found = run(self.SCAN, {"raised": self.RAISED}, limits=self.LONG).value
        assert seen > 1000
        assert found == 0

    def test_the_scan_finds_what_is_there(self, run) -> None:
        source = self.SCAN.replace("def tool(", f"kept = {self.SAID!r}\n    def tool(")
        _, found = run(source, {"raised": self.RAISED}, limits=self.LONG).value
        assert found > 0
