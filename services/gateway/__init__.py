"""The gateway: every event of every department, folded into one view of each engagement."""
