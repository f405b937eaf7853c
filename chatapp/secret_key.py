"""The key that signs sessions, generated at the first start and kept in the data folder."""

import os
import secrets
from contextlib import suppress
from pathlib import Path

from chatapp.setting_reader import unusable_folder

KEY_BYTES = 50
"""Random bytes in a new key."""


def load_or_create(folder: Path) -> str:
    """The key in `folder`, created if there is none. Several processes may call this at once; all get the same key.

    Raises `InvalidSetting` if the folder cannot be used.
    """
    file = folder / "secret-key"
    try:
        if not file.exists():
            _create(file)
        return file.read_text().strip()
    except OSError as error:
        raise unusable_folder(folder, error) from error


def _create(file: Path) -> None:
    file.parent.mkdir(mode=0o711, parents=True, exist_ok=True)
    draft = file.with_name(f".{file.name}-{os.getpid()}-{secrets.token_hex(4)}")
    draft.touch(mode=0o600)
    try:
        draft.write_text(secrets.token_urlsafe(KEY_BYTES))
        with suppress(FileExistsError):  # another process was first; its key is used
            os.link(draft, file)  # unlike a rename, never replaces a file, and never shows a half-written one
    finally:
        draft.unlink()
