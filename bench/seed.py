"""Fill a migrated database with history: `python -m bench seed postgresql://… [messages]`.

PostgreSQL generates everything. Conversations have ten messages, except one that has a thousandth of all messages. One
person has a tenth of all conversations. Each message has its own number, and one of `SUBJECTS` subjects. 10,000,000
messages take a quarter of an hour and about 12 GB.
"""

import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import psycopg

ID = "(lpad(to_hex({number}), 12, '0') || '70008000' || lpad(to_hex({kind}), 12, '0'))::uuid"
CONVERSATION, MESSAGE, GENERATION = 1, 2, 3
SUBJECTS = 1000

USERS = """
INSERT INTO auth_user (username, password, is_superuser, is_staff, is_active, first_name, last_name, email, date_joined)
SELECT 'seeded-' || n, '!', false, false, true, '', '', '', now() FROM generate_series(0, %(people)s - 1) AS n
ON CONFLICT (username) DO NOTHING
"""

CONVERSATIONS = """
WITH people AS (SELECT id, split_part(username, '-', 2)::int AS number FROM auth_user WHERE username LIKE 'seeded-%%')
INSERT INTO conversations_conversation (id, owner_id, title, model, head_id, created_at, active_at)
SELECT {conversation}, people.id, 'Conversation ' || c, 'bench', {head},
       now() - (%(conversations)s - c) * interval '1 minute', now() - (%(conversations)s - c) * interval '1 minute'
FROM generate_series(0, %(conversations)s - 1) AS c
JOIN people ON people.number = CASE WHEN c < %(of_one)s THEN 0 ELSE 1 + c %% (%(people)s - 1) END
"""

MESSAGES = """
INSERT INTO conversations_message (id, conversation_id, parent_id, role, content, status, created_at)
SELECT {message}, {conversation}, CASE WHEN place > 0 THEN {before} END,
       CASE place %% 2 WHEN 0 THEN 'user' ELSE 'assistant' END,
       CASE place %% 2 WHEN 0 THEN 'What about number ' || n || ' of subject' || n %% {subjects} || '?'
            ELSE 'Number **' || n || '** is a number like any other, and that is all that there is to say of it.'
                 || E'\\n\\n- it has a predecessor\\n- it has a successor' END,
       'complete', now() - (%(messages)s - n) * interval '1 second'
FROM (SELECT n, CASE WHEN n < %(deep)s THEN 0 ELSE 1 + (n - %(deep)s) / 10 END AS c,
             CASE WHEN n < %(deep)s THEN n ELSE (n - %(deep)s) %% 10 END AS place
      FROM generate_series(%(begin)s, %(end)s - 1) AS n) AS numbers
"""

GENERATIONS = """
INSERT INTO conversations_generation
    (id, conversation_id, message_id, requested_by_id, kind, endpoint, model, status, end_reason, error_code, detail,
     requested_at, ended_at, stop_reason, characters, usage_source)
SELECT overlay(m.id::text PLACING '3' FROM 36)::uuid, m.conversation_id, m.id, c.owner_id, 'reply', 'bench', 'bench',
       'complete', 'finished', '', '', m.created_at, m.created_at, '', length(m.content), ''
FROM conversations_message m JOIN conversations_conversation c ON c.id = m.conversation_id
WHERE m.role = 'assistant' AND m.id >= {first} AND m.id < {last}
"""


TITLES_FOUND = """
INSERT INTO conversations_searchentry (id, conversation_id, owner_id, is_title, vector)
SELECT id, id, owner_id, true, conversations_words(owner_id, title) FROM conversations_conversation
"""

MESSAGES_FOUND = """
INSERT INTO conversations_searchentry (id, conversation_id, owner_id, is_title, vector)
SELECT m.id, c.id, c.owner_id, false, conversations_words(c.owner_id, m.content)
FROM conversations_message m JOIN conversations_conversation c ON c.id = m.conversation_id
WHERE m.id >= {first} AND m.id < {last}
"""


@dataclass(frozen=True)
class Size:
    """How much history to create. Person 0 has `of_one` conversations. One of them, number 0, has `deep` messages."""

    messages: int

    @property
    def deep(self) -> int:
        return max(100, self.messages // 1000)

    @property
    def conversations(self) -> int:
        return 1 + (self.messages - self.deep) // 10

    @property
    def of_one(self) -> int:
        return self.conversations // 10

    @property
    def people(self) -> int:
        return 2 + self.conversations // 100


def conversation(number: str) -> str:
    return ID.format(number=number, kind=CONVERSATION)


def message(number: str) -> str:
    return ID.format(number=number, kind=MESSAGE)


def seed(connection: psycopg.Connection, size: Size, batch: int = 500_000) -> None:
    """Fill the tables. Needs a superuser's connection in autocommit mode, because it turns off foreign key checks."""
    how = {name: getattr(size, name) for name in ("messages", "deep", "conversations", "of_one", "people")}
    connection.execute("SET session_replication_role = replica")
    connection.execute("SET synchronous_commit = off")
    connection.execute(USERS, how)
    last = f"(CASE WHEN c = 0 THEN {size.deep} ELSE {size.deep} + c * 10 END - 1)"
    connection.execute(CONVERSATIONS.format(conversation=conversation("c"), head=message(last)), how)
    names = {
        "message": message("n"),
        "before": message("n - 1"),
        "conversation": conversation("c"),
        "subjects": SUBJECTS,
    }
    for begin in range(0, size.messages, batch):
        end = min(begin + batch, size.deep + (size.conversations - 1) * 10)
        connection.execute(MESSAGES.format(**names), {**how, "begin": begin, "end": end})
        connection.execute(GENERATIONS.format(first=message(str(begin)), last=message(str(end))), {})
    connection.execute("SET session_replication_role = origin")
    index(connection, size, batch)
    connection.execute("VACUUM (ANALYZE)")


def index(connection: psycopg.Connection, size: Size, batch: int) -> None:
    """Fill the search index with the function that the product uses."""
    found = connection.execute("SELECT pg_get_indexdef('search_words'::regclass)").fetchone()
    connection.execute("DROP INDEX search_words")
    connection.execute(TITLES_FOUND)
    statements = [
        MESSAGES_FOUND.format(first=message(str(begin)), last=message(str(begin + batch)))
        for begin in range(0, size.messages, batch)
    ]
    with ThreadPoolExecutor(2) as threads:
        list(threads.map(lambda statement: _apart(connection, statement), statements))
    connection.execute("SET maintenance_work_mem = '1GB'")
    assert found is not None
    connection.execute(found[0])


def _apart(connection: psycopg.Connection, statement: str) -> None:
    with psycopg.connect(connection.info.dsn, password=connection.info.password, autocommit=True) as another:
        another.execute("SET synchronous_commit = off")
        another.execute(statement)


def main(arguments: list[str]) -> None:
    if not arguments:
        sys.exit("Name the database: python -m bench seed postgresql://user@host/name [messages]")
    size = Size(int(arguments[1]) if len(arguments) > 1 else 10_000_000)
    began = time.monotonic()
    with psycopg.connect(arguments[0], autocommit=True) as connection:
        seed(connection, size)
    print(f"{size.messages:,} messages in {size.conversations:,} conversations: {time.monotonic() - began:.0f} s")
