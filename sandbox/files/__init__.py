"""What programs find as files, and what becomes of them."""
