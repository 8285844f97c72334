"""Read the files of an export that were put into one ZIP archive."""

import zlib
from io import BytesIO
from zipfile import BadZipFile, ZipFile, ZipInfo

from sales.importing.dialect import NO_TEXT
from sales.importing.options import Unusable

MOST_FILES = 20
_WORKBOOK = "[Content_Types].xml"
"""A member of each workbook in the format of Office Open XML."""


def read_archive(content: bytes, largest: int) -> dict[str, bytes]:
    """Return the files of an archive by name.

    Folders and the files that macOS adds are left out. All files together may have `largest` bytes.
    Raises Unusable where the archive cannot be read, has too many files, or is larger.
    """
    try:
        with ZipFile(BytesIO(content)) as archive:
            if _WORKBOOK in archive.namelist():
                raise Unusable(NO_TEXT)
            members = [each for each in archive.infolist() if _is_file(each)]
            if len(members) > MOST_FILES:
                raise Unusable(f"the archive has more than {MOST_FILES} files")
            if sum(each.file_size for each in members) > largest:
                raise Unusable(f"the files of an archive may have {largest} bytes together")
            return {each.filename: archive.read(each) for each in members}
    except (BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise Unusable(f"the archive cannot be read: {error}") from None


def _is_file(member: ZipInfo) -> bool:
    hidden = member.filename.startswith(("__MACOSX/", ".")) or "/." in member.filename
    return not member.is_dir() and not hidden
