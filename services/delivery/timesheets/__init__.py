"""Timesheets: the week of a person over all engagements and internal codes."""
