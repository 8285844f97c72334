"""The contract: statements of work, their review by Finance, early starts, termination."""
