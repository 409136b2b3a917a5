"""What a tool's text lets one tool that it calls tell another."""

from toolguild.policies.data_flow.flows import CallPlace, DataFlow, TextFlows, data_flows

__all__ = ["CallPlace", "DataFlow", "TextFlows", "data_flows"]
