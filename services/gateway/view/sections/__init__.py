"""Sections of the view, one per channel, each computed from the events of its channel only."""
