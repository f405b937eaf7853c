"""Row ids: UUIDs of version 7 (RFC 9562), ordered by time and hard to guess."""

import uuid

from uuid_utils.compat import uuid7


def new_id() -> uuid.UUID:
    """A new UUID of version 7."""
    return uuid7()
