"""Commands, streams and the decider: pure decisions without clock, network or store."""
