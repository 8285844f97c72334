"""Opportunities: opened or imported, qualified, advanced, estimated, lost."""
