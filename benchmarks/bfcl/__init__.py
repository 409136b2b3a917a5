"""Composites of the BFCL call scripts, rehearsed on the simulators that the scripts ran against."""
