"""Write the TypeScript client: a package with one folder for each service."""

import json
import shutil
from pathlib import Path

from clients.documents import Documents
from clients.generators import run, typescript_generator

_COMPILER = {
    "compilerOptions": {
        "strict": True,
        "target": "es2022",
        "module": "esnext",
        "moduleResolution": "bundler",
        "lib": ["es2022", "dom", "dom.iterable"],
        "declaration": True,
        "outDir": "dist",
    },
    "include": ["src"],
}
_PACKAGE = {
    "name": "concord-clients",
    "version": "1.0.0",
    "type": "module",
    "exports": {"./*": "./dist/*/index.js"},
}


def write_typescript(documents: Documents, folder: Path) -> None:
    """Write the package into a new folder."""
    programs = typescript_generator()
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for name, content in (("package.json", _PACKAGE), ("tsconfig.json", _COMPILER)):
        (folder / name).write_text(json.dumps(content, indent=2))
    for service, document in documents.items():
        to = folder / "src" / service
        run([programs / "openapi-ts", "-i", document, "-o", to, "-c", "@hey-api/client-fetch"])


def compile_typescript(folder: Path) -> None:
    """Compile the package strictly; raises Failed with the errors."""
    run([typescript_generator() / "tsc", "--project", folder])
