"""What mining saves on tasks that it has not seen, beside miners that count only."""
