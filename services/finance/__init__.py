"""Finance: the money of an engagement, from the price of an estimate to a settled account.

What the customer pays is said openly; what the company spends, and what it earns by it, is said
on a confidential channel and shown only to those who may see it.
"""
