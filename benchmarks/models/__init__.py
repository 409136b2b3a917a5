"""What a model adds to the tools that are made without one."""
