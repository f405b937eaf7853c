"""A start with static files that cannot be written."""

import pytest

from chatapp import preparation
from chatapp.setting_reader import InvalidSetting


@pytest.fixture
def read_only(monkeypatch, settings, tmp_path):
    """A folder for static files on a read-only file system."""

    def refuse(*args, **options):
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(preparation, "call_command", refuse)
    settings.STATIC_ROOT = tmp_path / "static"
    settings.STATIC_ROOT.mkdir()
    return settings.STATIC_ROOT


def test_previously_collected_static_files_are_enough(read_only):
    (read_only / preparation.MANIFEST).touch()
    preparation._collect_static()


def test_missing_static_files_name_the_folder(read_only):
    with pytest.raises(InvalidSetting, match="Read-only file system"):
        preparation._collect_static()
