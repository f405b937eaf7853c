"""The key that signs sessions, made at the first start and kept in the data folder."""

import os
import secrets
from contextlib import suppress
from pathlib import Path

from chatapp.environment import unusable

BYTES = 50


def kept_in(folder: Path) -> str:
    """The key in `folder`, made if there is none. Several processes may ask at once: all get the same one.

    Raises `WrongValue` if the folder cannot be used.
    """
    file = folder / "secret-key"
    try:
        if not file.exists():
            _make(file)
        return file.read_text().strip()
    except OSError as error:
        raise unusable(folder, error) from error


def _make(file: Path) -> None:
    file.parent.mkdir(mode=0o711, parents=True, exist_ok=True)
    draft = file.with_name(f".{file.name}-{os.getpid()}-{secrets.token_hex(4)}")
    draft.touch(mode=0o600)
    try:
        draft.write_text(secrets.token_urlsafe(BYTES))
        with suppress(FileExistsError):  # another process was first: its key counts
            os.link(draft, file)  # unlike a rename, never replaces, and is never seen half written
    finally:
        draft.unlink()
