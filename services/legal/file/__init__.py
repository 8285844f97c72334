"""The file of an engagement in Legal."""
