"""Sales: from the first call to a deal won or lost, and what its people watch afterwards."""
