"""Exports a person's conversations as JSON, or deletes their account."""

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
"""The actor's name in the audit log: the command line has no account."""


class Command(BaseCommand):
    """`person export NAME` writes to standard output. `person delete NAME --yes` cannot be undone."""

    help = "Exports all conversations of a person, or deletes their account and everything in it."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("command", choices=["export", "delete"])
        parser.add_argument("name", help="the account's user name")
        parser.add_argument("--yes", action="store_true", help="required to delete")

    def handle(self, *_args: Any, command: str, name: str, yes: bool, **_options: Any) -> None:
        person = User.objects.filter(username=name).first()
        if person is None:
            raise CommandError(f"There is no account {name!r}.")
        if command == "delete" and not yes:
            raise CommandError(
                f"This deletes {name!r} and everything that belongs to the account, permanently. Add --yes to confirm."
            )
        _record(Action.EXPORTED if command == "export" else Action.DELETED, person)
        self._export(person) if command == "export" else self._delete(person)

    def _export(self, person: User) -> None:
        """Write one conversation after another, so that a long history does not have to fit into memory."""
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
        account_removal.remove_account(person, SERVER)
        self.stdout.write(f"Deleted the account {name!r} and everything that belonged to it.")


def _record(action: Action, person: User) -> None:
    AuditEntry.objects.create(
        staff_id=0, staff_name=COMMAND_LINE, action=action, what=f"user {person.pk}", owner_name=person.username
    )
