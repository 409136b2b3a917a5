"""Why a container ended under a run, as the engine tells it.

Nothing in a container can send SIGKILL to its first process. Where that died of one all the same,
or the kernel was short of memory, or somebody had the engine end it, or its connection to us broke
first, the program had no part in it.
"""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Iterator, Mapping
from typing import Any

import docker
import requests
import urllib3
from docker.errors import NotFound

from toolguild.sandbox.engine import engine_errors, ping

__all__ = ["what_ended"]

_PATIENCE_S = 3.0
"""How long the engine may take to notice an end that we have noticed."""
_OOM_S = 5.0
"""How long before an end a shortage of memory counts as its cause."""

Event = dict[str, Any]


def what_ended(client: docker.APIClient, container: str) -> str:
    """Return what ended a container from outside, or stopped it, in a sentence.

    Empty if nothing did: it still runs, or its processes ended by themselves.

    Raises:
        SandboxUnavailableError: the engine does not answer.
    """
    with engine_errors("find out why a container ended"):
        ping(client)  # one that hangs is found out sooner
        if _state(client, container).get("Paused"):
            return _PAUSED
        events = [*_events(client, container)]
        end = next((event for event in events if event["Action"] == "die"), None)
        if end is None:
            return "" if _state(client, container).get("Running") else _UNKNOWN
    if any(_of_memory(event, end) for event in events):
        return _MEMORY
    if any(event["Action"] in ("kill", "stop") for event in events):
        return _SOMEBODY
    return _BY_EXIT_CODE.get(end["Actor"]["Attributes"].get("exitCode", ""), "")


_MEMORY = (
    "The docker sandbox's container was killed by the kernel for want of memory during the run. "
    "Give the machine more, or open the sandbox with a smaller `size`."
)
_SOMEBODY = (
    "The docker sandbox's container was killed through the engine during the run, by `docker kill` "
    "or as the engine was stopped. Leave alone what has the label toolguild.sandbox.owner, and run "
    "the program again."
)
_KERNEL = (
    "The docker sandbox's container was killed by the host during the run, as the kernel does when "
    "the machine has no memory left (`dmesg` tells). Give it more, or open the sandbox with a "
    "smaller `size`."
)
_PAUSED = (
    "The docker sandbox's container was paused during the run (`docker pause`). Leave alone what "
    "has the label toolguild.sandbox.owner, and run the program again."
)
_CONNECTION = (
    "The docker sandbox's connection to its container broke during the run. Run the program again; "
    "where that happens often, look at the engine's log (`journalctl -u docker`)."
)
_BY_EXIT_CODE = {
    "0": _CONNECTION,  # so the worker ends when its host is gone
    str(128 + signal.SIGKILL): _KERNEL,
}
_UNKNOWN = (
    "The docker sandbox's container is gone, and the engine does not know why. Was it restarted? "
    "Run the program again."
)


def _of_memory(event: Event, end: Event) -> bool:
    before_s = (end["timeNano"] - event["timeNano"]) / 1e9
    return bool(event["Action"] == "oom" and before_s < _OOM_S)


def _events(client: docker.APIClient, container: str) -> Iterator[Event]:
    """Return what the engine remembers of a container, up to its end.

    docker-py's `events` would wait for ever where that does not come.
    """
    filters = json.dumps({"type": ["container"], "container": [container]})
    response = client.get(
        f"{client.base_url}/v{client.api_version}/events",
        # From the beginning, whatever the engine's clock says.
        params={"since": "0", "filters": filters},
        stream=True,
        timeout=_PATIENCE_S,
    )
    until = time.monotonic() + _PATIENCE_S
    with response:
        response.raise_for_status()
        try:
            for line in response.iter_lines():
                event = json.loads(line)
                yield event
                if event["Action"] == "die" or time.monotonic() > until:
                    return
        except (requests.ConnectionError, urllib3.exceptions.ReadTimeoutError):
            return  # that was all


def _state(client: docker.APIClient, container: str) -> Mapping[str, Any]:
    """Return the state of a container, nothing where it is gone."""
    try:
        return dict(client.inspect_container(container)["State"])
    except NotFound:
        return {}
