"""How promotion and demotion rules do over many simulated lives of tools."""
