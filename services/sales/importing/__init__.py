"""Import of a CRM export: each valid row becomes the first event of an engagement.

``python -m sales.importing FILE`` sends an export to the running service.
"""
