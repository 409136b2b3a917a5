"""A model behind a server on the loopback interface."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from model_server import Server

from toolguild.synth.models import Model, ModelSettings


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server()
    yield server
    server.close()


@pytest.fixture
def ask(server: Server) -> Iterator[Callable[..., Model]]:
    """Open a model on the server, with these settings."""
    opened: list[Model] = []

    def open_model(**settings: Any) -> Model:
        more = {key: settings.pop(key) for key in ("cache", "on_request") if key in settings}
        usual = {"name": "some-model", "base_url": server.url, "api_key": "sk-of-a-test"}
        opened.append(Model(ModelSettings(**usual | settings), **more).__enter__())
        return opened[-1]

    yield open_model
    for model in opened:
        model.__exit__(None, None, None)
