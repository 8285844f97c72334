"""One section of the unified view for each channel, folded from that channel's events alone."""
