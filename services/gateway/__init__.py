"""The gateway: every fact of every department, folded into one view of each engagement."""
