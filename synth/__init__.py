"""From trace logs to proven tools: `traces`, `mining`, `drafting`, `validation`."""
