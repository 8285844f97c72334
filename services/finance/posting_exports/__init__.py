"""Exports of the postings of a company's closed months."""
