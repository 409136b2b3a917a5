"""What containers are made of."""
