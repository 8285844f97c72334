"""Management: the engagement manager, the method tier, and work on hold."""
