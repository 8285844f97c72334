"""The kickoff meeting."""
