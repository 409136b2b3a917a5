"""How hypothesis looks for examples: anew each time at a desk, always the same ones in CI."""

from __future__ import annotations

import os

import hypothesis

hypothesis.settings.register_profile("ci", derandomize=True, deadline=None, print_blob=True)
hypothesis.settings.register_profile("desk", deadline=None)
hypothesis.settings.load_profile("ci" if os.environ.get("TOOLGUILD_CI") else "desk")
