"""Deliverables: submitted, accepted or rejected by the customer."""
