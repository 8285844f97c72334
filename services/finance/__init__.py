"""Decide prices, budget, billing, revenue and settlement of engagements, and measure their cost.

What the customer pays is published on an open channel. Costs and margins are published on a
confidential channel and shown only to people with the role `confidential`.
"""
