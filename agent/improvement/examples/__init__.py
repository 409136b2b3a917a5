"""Examples: runs that went well, shown to later ones."""

from toolguild.agent.improvement.examples.demonstrations import (
    gives_orders,
    plain_example,
    text_of,
)
from toolguild.agent.improvement.examples.library import new_examples, stale_examples

__all__ = ["gives_orders", "new_examples", "plain_example", "stale_examples", "text_of"]
