"""Statements of work: drafted, redlined, reviewed, approved."""
