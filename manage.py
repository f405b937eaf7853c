#!/usr/bin/env python
"""Django's commands, with the project's database at hand."""

import os
import sys


def main() -> None:
    """Run the command named on the command line."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "chatapp.settings")
    from chatapp import postgres

    postgres.ensure_database()
    sys.stderr.write(f"Database: {postgres.describe(os.environ['DATABASE_URL'])}\n")
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
