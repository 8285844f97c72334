"""The gateway's pages for people: the portfolio, what needs attention and why, an engagement."""

from gateway.pages.routes import Commands, Reads, Sources, pages

__all__ = ["Commands", "Reads", "Sources", "pages"]
