"""Costs of estimates, changes, the budget and approved work. Confidential."""
