"""From opportunities to drafts of tools."""
