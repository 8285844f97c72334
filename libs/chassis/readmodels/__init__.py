"""Lists: queries of a URL, an index in memory of the rows of each kind, cursors and CSV."""
