"""What the departments of Concord say to each other: events, their envelope, channels and words.

Importing the package makes every event known to the envelope.
"""

from contracts import delivery, finance, gateway, legal, reference, sales

__all__ = ["delivery", "finance", "gateway", "legal", "reference", "sales"]
