"""How an agent begins: with a person's demonstrations, with practice, with what another learned."""

from toolguild.agent.improvement.bootstrapping.agent_bundle import AgentBundle, agent_payload
from toolguild.agent.improvement.bootstrapping.practice import (
    Practice,
    Practised,
    run_id,
    warm_up,
)
from toolguild.agent.improvement.bootstrapping.seeds import (
    SeedFileError,
    first_instructions,
    seed_demonstrations,
)
from toolguild.agent.improvement.bootstrapping.transfer import (
    Arrived,
    ExportedAgent,
    ReceivedAgent,
    export_agent,
    receive_agent,
    take_in,
)

__all__ = [
    "AgentBundle",
    "Arrived",
    "ExportedAgent",
    "Practice",
    "Practised",
    "ReceivedAgent",
    "SeedFileError",
    "agent_payload",
    "export_agent",
    "first_instructions",
    "receive_agent",
    "run_id",
    "seed_demonstrations",
    "take_in",
    "warm_up",
]
