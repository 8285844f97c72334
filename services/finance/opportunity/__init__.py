"""The opportunity and its outcome, from the events of Sales."""
