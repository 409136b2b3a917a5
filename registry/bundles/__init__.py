"""Bundles: tools of one registry, signed, for another one."""

from toolguild.registry.bundles.arrivals import Arrival, Fate
from toolguild.registry.bundles.envelope import seal
from toolguild.registry.bundles.errors import (
    BundleError,
    ImportRefusedError,
    UntrustedBundleError,
)
from toolguild.registry.bundles.exporting import Exported, export_all, export_tools
from toolguild.registry.bundles.files import check_target, read_bundle, write_bundle
from toolguild.registry.bundles.importing import (
    Imported,
    ImportSettings,
    Received,
    import_bundle,
    receive,
)
from toolguild.registry.bundles.statement import Bundle, BundledTool, payload_of

__all__ = [
    "Arrival",
    "Bundle",
    "BundleError",
    "BundledTool",
    "Exported",
    "Fate",
    "ImportRefusedError",
    "ImportSettings",
    "Imported",
    "Received",
    "UntrustedBundleError",
    "check_target",
    "export_all",
    "export_tools",
    "import_bundle",
    "payload_of",
    "read_bundle",
    "receive",
    "seal",
    "write_bundle",
]
