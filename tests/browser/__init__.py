"""The gateway's pages in a real browser."""
