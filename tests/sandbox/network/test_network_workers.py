"""What workers with network are given, and that others are given nothing of it."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import threading

import pytest

from toolguild.sandbox.bootstrap import ENVIRONMENT, base_profile
from toolguild.sandbox.linux.seccomp import ONE_PROCESS
from toolguild.sandbox.network import relay
from toolguild.sandbox.network.filters import network_profile, network_program
from toolguild.sandbox.network.setup import (
    environment,
    opened_egress,
    program_profile,
    worker_profile,
)


def threads() -> set[str]:
    return {thread.name for thread in threading.enumerate()}


def relay_to(path: str) -> contextlib.closing[relay.Relay]:
    return contextlib.closing(relay.Relay(path, ("127.0.0.1", 0)))


def test_without_network_everything_is_as_ever() -> None:
    assert environment(network=False) == ENVIRONMENT
    assert worker_profile(network=False) == base_profile()
    assert program_profile(network=False) == ONE_PROCESS
    with opened_egress(network=False) as egress:
        assert egress is None
    assert "toolguild-egress" not in threads()


def test_with_network_programs_are_led_to_the_relay() -> None:
    led = environment(network=True)
    assert led.items() >= ENVIRONMENT.items()
    assert led["HTTPS_PROXY"] == led["http_proxy"] == "http://127.0.0.1:3128"
    assert led["SSL_CERT_FILE"] == f"{relay.FOLDER}/{relay.CERTIFICATES}"
    assert worker_profile(network=True) == network_profile()
    assert program_profile(network=True) == network_program()


def test_an_egress_is_there_while_its_worker_starts_and_after() -> None:
    with opened_egress(network=True) as egress:
        assert egress
        path = egress.directory / relay.SOCKET
        with relay_to(str(path)) as passing:
            passing.check()
    with egress, relay_to(str(path)) as passing, pytest.raises(ConnectionRefusedError):
        passing.check()


def test_an_egress_is_gone_where_its_worker_does_not_start() -> None:
    with pytest.raises(KeyError), opened_egress(network=True) as egress:
        assert egress
        raise KeyError
    assert not egress.directory.exists()
    assert "toolguild-egress" not in threads()


def test_sandboxes_without_network_do_not_wait_for_the_proxys_modules() -> None:
    check = "import sys, toolguild.sandbox.network.setup; print('asyncio' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
