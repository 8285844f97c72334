"""Risks, issues and decisions."""
