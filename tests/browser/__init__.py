"""Tests of the gateway's pages in a real browser."""
