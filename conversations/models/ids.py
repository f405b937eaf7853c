"""Identifiers of rows: UUIDs of version 7 (RFC 9562), in the order of time and not to be guessed."""

import uuid

from uuid_utils.compat import uuid7


def new_id() -> uuid.UUID:
    return uuid7()
