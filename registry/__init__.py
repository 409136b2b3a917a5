"""Tools, versions, tiers, record and audit trail, and the toolbox that agents call through."""
