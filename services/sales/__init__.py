"""Sales: opportunities and proposals until the deal is won or lost, then its progress."""
