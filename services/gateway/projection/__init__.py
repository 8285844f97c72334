"""The event handler that keeps views, and the store from which it continues after a restart."""
