"""A real model: the small one, or a user's own where $TOOLGUILD_TEST_MODEL names it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import nullcontext

import pytest
import small_model

from toolguild.synth.models import ModelSettings


@pytest.fixture(scope="session")
def real_model() -> Iterator[ModelSettings]:
    """Return which model is asked, and where."""
    named = os.environ.get("TOOLGUILD_TEST_MODEL")
    if not named and small_model.weights() is None:
        pytest.skip(f"no small model is installed; {small_model.HOW_TO_INSTALL}")
    own = nullcontext(os.environ.get("OPENAI_BASE_URL"))
    with own if named else small_model.served() as url:
        key = os.environ.get("OPENAI_API_KEY", "none") if named else "none"
        yield ModelSettings(name=named or small_model.NAME, base_url=url, api_key=key)
