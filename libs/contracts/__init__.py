"""Published language of Concord: events, their envelope, channels, values and schemas.

Importing the package registers every event by its CloudEvents type.
"""

from contracts import delivery, finance, gateway, legal, reference, sales

__all__ = ["delivery", "finance", "gateway", "legal", "reference", "sales"]
