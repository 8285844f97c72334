"""The progress of the work, from the events of Delivery."""
