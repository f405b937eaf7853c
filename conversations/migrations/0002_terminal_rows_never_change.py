"""Triggers that hold what the code promises: after its end, neither a message nor the outcome of a run changes."""

from django.db import migrations

FORWARD = """
CREATE FUNCTION conversations_terminal() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a terminal % never changes', TG_ARGV[0] USING ERRCODE = 'integrity_constraint_violation';
END $$;

CREATE TRIGGER message_is_terminal BEFORE UPDATE ON conversations_message
FOR EACH ROW WHEN (
    OLD.status <> 'streaming'
    AND (OLD.content, OLD.status, OLD.role, OLD.parent_id, OLD.conversation_id)
        IS DISTINCT FROM (NEW.content, NEW.status, NEW.role, NEW.parent_id, NEW.conversation_id)
) EXECUTE FUNCTION conversations_terminal('message');

CREATE TRIGGER generation_is_terminal BEFORE UPDATE ON conversations_generation
FOR EACH ROW WHEN (
    OLD.status <> 'streaming'
    AND (OLD.status, OLD.end_reason, OLD.ended_at, OLD.message_id)
        IS DISTINCT FROM (NEW.status, NEW.end_reason, NEW.ended_at, NEW.message_id)
) EXECUTE FUNCTION conversations_terminal('generation');
"""

BACKWARD = """
DROP TRIGGER generation_is_terminal ON conversations_generation;
DROP TRIGGER message_is_terminal ON conversations_message;
DROP FUNCTION conversations_terminal();
"""


class Migration(migrations.Migration):
    dependencies = [("conversations", "0001_initial")]

    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
