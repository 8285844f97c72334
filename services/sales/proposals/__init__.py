"""Proposals, the estimates they are based on, and the won deal."""
