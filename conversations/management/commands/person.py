"""One person's data at the command line: all of their conversations as JSON, or the end of their account."""

import asyncio
import json
from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError, CommandParser

from conversations.models import Action, AuditEntry, Conversation
from conversations.operations import account_removal
from conversations.rules.stop_request import SERVER
from conversations.web import export_json

COMMAND_LINE = "manage.py"
"""In the audit log, where there is no account that did it."""


class Command(BaseCommand):
    """`person export NAME` writes to standard output; `person delete NAME --yes` cannot be undone."""

    help = "Exports everything a person wrote and was answered, or deletes their account with all of it."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("deed", choices=["export", "delete"])
        parser.add_argument("name", help="the account's user name")
        parser.add_argument("--yes", action="store_true", help="needed to delete")

    def handle(self, *_args: Any, deed: str, name: str, yes: bool, **_options: Any) -> None:
        person = User.objects.filter(username=name).first()
        if person is None:
            raise CommandError(f"There is no account {name!r}.")
        if deed == "delete" and not yes:
            raise CommandError(f"Everything of {name!r} would be removed for good. Add --yes to do that.")
        _note(Action.EXPORTED if deed == "export" else Action.DELETED, person)
        self._export(person) if deed == "export" else self._delete(person)

    def _export(self, person: User) -> None:
        """Conversation by conversation, so that a long history needs no more memory than its longest piece."""
        about = {"username": person.username, "email": person.email, "joined": person.date_joined.isoformat()}
        self.stdout.write(json.dumps(about).removesuffix("}") + ', "conversations": [')
        for number, conversation in enumerate(Conversation.objects.filter(owner=person).order_by("pk").iterator()):
            self.stdout.write("," if number else "", ending="")
            asyncio.run(self._write(conversation))
        self.stdout.write("]}")

    async def _write(self, conversation: Conversation) -> None:
        async for part in export_json.json(conversation):
            self.stdout.write(part, ending="")

    def _delete(self, person: User) -> None:
        name = person.username
        account_removal.remove(person, SERVER)
        self.stdout.write(f"The account {name!r} and everything of it is removed.")


def _note(action: Action, person: User) -> None:
    AuditEntry.objects.create(
        staff_id=0, staff_name=COMMAND_LINE, action=action, what=f"user {person.pk}", owner_name=person.username
    )
