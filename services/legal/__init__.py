"""Legal: the contract documents of an engagement, from the NDA to the termination.

Documents are identified by the hash of their content: reviews, approvals and signatures count only
for the content that they name.
"""
