"""What a tool is worth: expected savings on unseen tasks, and what a place in a toolbox costs."""

from toolguild.synth.utility.prompts import Prompts, PromptSettings
from toolguild.synth.utility.schema_size import expected_schema_size, schema_size
from toolguild.synth.utility.tokens import CHARACTERS_A_TOKEN, tokens_in
from toolguild.synth.utility.unseen import share_on_unseen, with_utility, worthwhile_first

__all__ = [
    "CHARACTERS_A_TOKEN",
    "PromptSettings",
    "Prompts",
    "expected_schema_size",
    "schema_size",
    "share_on_unseen",
    "tokens_in",
    "with_utility",
    "worthwhile_first",
]
