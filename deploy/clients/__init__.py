"""Write clients of the services in Python and TypeScript, from their OpenAPI documents.

Both generators are installed from lock files into the folder for downloads, apart from the
project's own environment: their dependencies contradict its own.
"""
