"""Earned value and margins. Confidential."""
