"""Signing: the approved statement of work is sent, signed by both parties, and is the contract."""
