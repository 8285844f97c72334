"""A believable company, played into a running platform through its own HTTP interfaces."""
