"""Progress of the work, as Delivery published it."""
