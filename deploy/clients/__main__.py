"""Write the clients into a folder: ``python -m clients build/clients``."""

import argparse
from pathlib import Path

from clients.documents import write_documents
from clients.generators import has_node
from clients.python import write_python
from clients.typescript import write_typescript


def main() -> None:
    """Write both clients; that in TypeScript only where there is Node.js."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    folder: Path = parser.parse_args().folder
    documents = write_documents(folder / "openapi")
    write_python(documents, folder / "python")
    print(f"Python client: {folder / 'python'}")
    if has_node():
        write_typescript(documents, folder / "typescript")
        print(f"TypeScript client: {folder / 'typescript'}")
    else:
        print("No TypeScript client: it needs Node.js 20 or newer with npm.")


if __name__ == "__main__":
    main()
