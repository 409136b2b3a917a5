"""One call of each peer: runs in their environment, not in ours.

Each defines a function of one argument and calls it, as a tool call does, and starts from a fresh
state where the peer has one to offer.
"""

from __future__ import annotations

import json
import socket
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

CODE = "def tool(x):\n    return x\n"


@contextmanager
def restricted(image: str) -> Iterator[Callable[[], Any]]:
    """RestrictedPython as its manual has it: a compiler and a set of builtins, no isolation."""
    from RestrictedPython import compile_restricted, safe_globals

    def call() -> Any:
        names = dict(safe_globals)
        exec(compile_restricted(CODE, "<tool>", "exec"), names)  # noqa: S102 - what it is for
        return names["tool"](1)

    yield call


@contextmanager
def monty(image: str) -> Iterator[Callable[[], Any]]:
    """Monty: an interpreter of its own in a pool of processes."""
    from pydantic_monty import Monty

    with Monty() as pool:

        def call() -> Any:
            with pool.checkout() as session:
                return session.feed_run(f"{CODE}tool(1)")

        yield call


@contextmanager
def smolagents_local(image: str) -> Iterator[Callable[[], Any]]:
    """The syntax-tree interpreter of smolagents, in process."""
    from smolagents.local_python_executor import LocalPythonExecutor

    def call() -> Any:
        executor = LocalPythonExecutor([])
        executor.send_tools({})
        return executor(f"{CODE}tool(1)").output

    yield call


@contextmanager
def llm_sandbox(image: str) -> Iterator[Callable[[], Any]]:
    """A session of llm-sandbox, which keeps its container; state stays from call to call."""
    from llm_sandbox import SandboxSession

    with SandboxSession(
        lang="python",
        image=image,
        keep_template=True,
        skip_environment_setup=True,
        runtime_configs={"network_mode": "none"},
    ) as session:

        def call() -> Any:
            done = session.run(f"{CODE}print(tool(1))")
            if done.exit_code:
                raise RuntimeError(done.stderr.strip() or done.stdout.strip())
            return int(done.stdout)

        yield call


@contextmanager
def smolagents_docker(image: str) -> Iterator[Callable[[], Any]]:
    """A Jupyter kernel in a container; state stays from call to call."""
    from smolagents.monitoring import AgentLogger, LogLevel
    from smolagents.remote_executors import DockerExecutor

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    executor = DockerExecutor(
        [], AgentLogger(LogLevel.OFF), port=port, image_name=image, build_new_image=False
    )
    try:
        yield lambda: int(executor(f"{CODE}tool(1)").output)
    finally:
        executor.cleanup()


def main() -> None:
    """Time one peer and print the milliseconds as JSON."""
    name, count, image = sys.argv[1:]
    with globals()[name](image) as call:
        for _ in range(3):
            if (result := call()) != 1:
                sys.exit(f"it returned {result!r}")
        taken = []
        for _ in range(int(count)):
            begin = time.perf_counter()
            call()
            taken.append((time.perf_counter() - begin) * 1e3)
    print(json.dumps(taken))


if __name__ == "__main__":
    main()
