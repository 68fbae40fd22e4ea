"""Which version gets how much of the traffic, and whether a canary goes on."""
