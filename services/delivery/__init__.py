"""Delivery (the PMO): estimates, plans, work done, changes under control, acceptance, closing.

Its gates protect both sides: nobody works without a contract or an authorisation, nobody builds
what was not agreed, and an engagement ends only when nothing is owed any more.
"""
