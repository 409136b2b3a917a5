"""What runs inside the isolation: the worker and the processes of its programs."""
