"""The business requirements document (BRD)."""
