"""Decide estimates, plans, time, changes, acceptance and closing of engagements (the PMO).

Its gates refuse work without a signed contract or an early start, implementation without agreed
requirements, and closing while anything is owed.
"""
