"""The gateway's pages: portfolio, engagements, disconnects, and one engagement."""

from gateway.pages.routes import Commands, PageQueries, Sources, pages

__all__ = ["Commands", "PageQueries", "Sources", "pages"]
