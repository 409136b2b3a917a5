"""What the stage loop costs, beside an agent that keeps its whole history."""
