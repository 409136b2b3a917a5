"""What the improvement loop lets through of 500 proposals, most of which do harm."""
