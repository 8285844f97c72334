"""The company that sells and bills."""

COMPANY = "concord"
"""Id of the only company, until deals name the company that sells."""
