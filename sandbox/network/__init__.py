"""The way out for programs with network: a relay inside, a proxy on the host that decides."""
