"""A start with static files that cannot be written."""

import pytest

from chatapp import prepare_installation
from chatapp.setting_reader import InvalidSetting


@pytest.fixture
def read_only(monkeypatch, settings, tmp_path):
    """A folder for static files on a read-only file system."""

    def refuse(*args, **options):
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(prepare_installation, "call_command", refuse)
    settings.STATIC_ROOT = tmp_path / "static"
    settings.STATIC_ROOT.mkdir()
    return settings.STATIC_ROOT


def test_previously_collected_static_files_are_enough(read_only):
    (read_only / prepare_installation.MANIFEST).touch()
    prepare_installation._collect_static()


def test_missing_static_files_name_the_folder(read_only):
    with pytest.raises(InvalidSetting, match="Read-only file system"):
        prepare_installation._collect_static()
