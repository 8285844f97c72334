"""The decider: pure decisions, and the ids of what they make."""
