"""History taken over from a CRM: its export is read, each row becomes an engagement's first event.

``python -m sales.importing FILE`` sends an export to the running service.
"""
