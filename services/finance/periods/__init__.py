"""Accounting periods of an engagement: the months that are booked, and what is booked next."""
