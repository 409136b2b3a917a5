"""toolguild turns what agents did into tools they can trust.

The packages build on each other in one direction only: `policies`, `sandbox`, `registry`,
`synth`, `agent`, `cli`. Import from the package that owns the noun, for example
`from toolguild.registry import Toolbox`.
"""

from toolguild.version import __version__

__all__ = ["__version__"]
