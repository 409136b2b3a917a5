"""What the documents say is what the program does."""

from __future__ import annotations

import re
from pathlib import Path

from toolguild.cli.reference import reference

ROOT = Path(__file__).parents[1]


def test_the_command_line_reference_is_current() -> None:
    assert (ROOT / "docs" / "cli.md").read_text("utf-8") == reference(), (
        "run: python -m toolguild.cli.reference > docs/cli.md"
    )


def test_every_link_to_a_file_leads_somewhere() -> None:
    for page in [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]:
        text = page.read_text("utf-8")
        for target in re.findall(r"`((?:docs|benchmarks|examples|tests|synth)/[\w./-]+)`", text):
            assert (ROOT / target).exists(), f"{page.name} names {target}"
