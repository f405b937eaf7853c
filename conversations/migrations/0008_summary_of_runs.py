"""Cells that the summary of runs is added up from, and triggers that note what changes in them."""

from django.db import migrations, models

# Rows younger than ten minutes are not added up yet (conversations/summary/rollup.py), so the usual beginning and end of
# a run cost no more than this comparison. A run's own figures are changed by its end; by a price that is known later; by
# a review; or because the row goes.
FORWARD = """
CREATE FUNCTION conversations_summary_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP <> 'INSERT' THEN
        INSERT INTO conversations_summarychange (at) VALUES (OLD.requested_at);
    END IF;
    IF TG_OP = 'INSERT' OR TG_OP = 'UPDATE' AND NEW.requested_at <> OLD.requested_at THEN
        INSERT INTO conversations_summarychange (at) VALUES (NEW.requested_at);
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER summary_insert AFTER INSERT ON conversations_generation
FOR EACH ROW WHEN (NEW.requested_at < now() - interval '10 minutes')
EXECUTE FUNCTION conversations_summary_change();

CREATE TRIGGER summary_update AFTER UPDATE ON conversations_generation
FOR EACH ROW WHEN (
    least(OLD.requested_at, NEW.requested_at) < now() - interval '10 minutes'
    AND (OLD.requested_at, OLD.model, OLD.endpoint, OLD.kind, OLD.status, OLD.end_reason, OLD.reviewed_at IS NULL,
         OLD.currency, OLD.price_out, OLD.tokens_in, OLD.tokens_out, OLD.characters, OLD.cost, OLD.first_token_at,
         OLD.stop_requested_at, OLD.upstream_closed_at)
        IS DISTINCT FROM
        (NEW.requested_at, NEW.model, NEW.endpoint, NEW.kind, NEW.status, NEW.end_reason, NEW.reviewed_at IS NULL,
         NEW.currency, NEW.price_out, NEW.tokens_in, NEW.tokens_out, NEW.characters, NEW.cost, NEW.first_token_at,
         NEW.stop_requested_at, NEW.upstream_closed_at)
)
EXECUTE FUNCTION conversations_summary_change();

CREATE TRIGGER summary_delete AFTER DELETE ON conversations_generation
FOR EACH ROW WHEN (OLD.requested_at < now() - interval '10 minutes')
EXECUTE FUNCTION conversations_summary_change();
"""

BACKWARD = """
DROP TRIGGER summary_delete ON conversations_generation;
DROP TRIGGER summary_update ON conversations_generation;
DROP TRIGGER summary_insert ON conversations_generation;
DROP FUNCTION conversations_summary_change();
"""


class Migration(migrations.Migration):

    dependencies = [
        ('conversations', '0007_conversations_on_shelves'),
    ]

    operations = [
        migrations.CreateModel(
            name='SummaryChange',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('at', models.DateTimeField(db_index=True)),
            ],
        ),
        migrations.CreateModel(
            name='SummaryState',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('months_until', models.DateTimeField()),
                ('days_until', models.DateTimeField()),
                ('hours_until', models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name='SummaryCell',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('span', models.SmallIntegerField()),
                ('since', models.DateTimeField()),
                ('model', models.CharField(max_length=200)),
                ('endpoint', models.CharField(max_length=200)),
                ('kind', models.CharField(max_length=10)),
                ('status', models.CharField(max_length=12)),
                ('end_reason', models.CharField(max_length=24)),
                ('reviewed', models.BooleanField()),
                ('currency', models.CharField(max_length=3)),
                ('price_out', models.DecimalField(decimal_places=6, max_digits=12, null=True)),
                ('measure', models.SmallIntegerField()),
                ('bucket', models.SmallIntegerField()),
                ('runs', models.IntegerField()),
                ('total', models.BigIntegerField()),
                ('tokens_in', models.BigIntegerField(null=True)),
                ('tokens_out', models.BigIntegerField(null=True)),
                ('cost', models.DecimalField(decimal_places=8, max_digits=20, null=True)),
            ],
            options={
                'indexes': [models.Index(fields=['span', 'measure', 'since'], name='summary_cell_by_time')],
            },
        ),
        migrations.RunSQL(FORWARD, BACKWARD),
    ]
