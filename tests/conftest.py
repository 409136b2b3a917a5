"""What CI does differently: the same examples each time, and no test skipped for want of a part.

And the PostgreSQL server that tests of several packages run on.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Generator, Iterator
from contextlib import ExitStack
from typing import Any

import hypothesis
import pytest

IN_CI = bool(os.environ.get("TOOLGUILD_CI"))

MAY_BE_SKIPPED = (
    "the engine has no runtime runsc",
    "run in a container only",
)
"""Reasons that hold on CI's machine as well; any other means that `.ci/run` failed to provide."""

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # As a shell's background job; tests interrupt themselves and what they start.
    signal.signal(signal.SIGINT, signal.default_int_handler)

hypothesis.settings.register_profile("ci", derandomize=True, deadline=None, print_blob=True)
hypothesis.settings.register_profile("desk", deadline=None)
hypothesis.settings.load_profile("ci" if IN_CI else "desk")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Turn a skip that CI does not expect into a failure."""
    report = yield
    if IN_CI and report.skipped and not hasattr(report, "wasxfail"):
        reason = str(report.longrepr)
        if not any(known in reason for known in MAY_BE_SKIPPED):
            report.outcome = "failed"
            report.longrepr = f"CI has to provide what this test needs: {reason}"
    return report


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Any]:
    """A PostgreSQL server that is gone with the session."""
    pytest.importorskip("psycopg")
    name = "benchmarks.registry.postgres_server"
    module = pytest.importorskip(name, reason="run in the repository only")
    with ExitStack() as stack:
        try:
            server = stack.enter_context(module.postgres_server())
        except module.NoServerError as error:
            pytest.skip(str(error))
        yield server
