"""Suites: the tasks that an agent is tried on, from files or from Python."""

from toolguild.agent.improvement.suites.files import SuiteError
from toolguild.agent.improvement.suites.loading import Suite, load_suite

__all__ = ["Suite", "SuiteError", "load_suite"]
