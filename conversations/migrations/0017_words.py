"""Plain words: a run is a generation, also in the names of its permissions. Changes no column."""

import conversations.models.endpoint
import django.core.validators
import django.db.models.deletion
from django.db import migrations, models


def rename_permissions(apps, schema_editor):
    """Django writes the name of a permission once, when it creates it."""
    of_generations = {"content_type__app_label": "conversations", "content_type__model": "generation"}
    for permission in apps.get_model("auth", "Permission").objects.filter(**of_generations, name__endswith=" run"):
        permission.name = permission.name.removesuffix("run") + "generation"
        permission.save(update_fields=["name"])


class Migration(migrations.Migration):

    dependencies = [
        ('auth', '0012_alter_user_first_name_max_length'),
        ('conversations', '0016_what_is_learnt_and_chosen'),
    ]

    operations = [
        migrations.AlterModelOptions(
            name='generation',
            options={'permissions': [('stop_generation', 'Can stop generation')], 'verbose_name': 'generation', 'verbose_name_plural': 'generations'},
        ),
        migrations.AlterModelOptions(
            name='preferences',
            options={'verbose_name': 'preferences', 'verbose_name_plural': 'preferences'},
        ),
        migrations.AlterModelOptions(
            name='searchentry',
            options={'verbose_name': 'search entry', 'verbose_name_plural': 'search entries'},
        ),
        migrations.AlterField(
            model_name='auditentry',
            name='owner_name',
            field=models.CharField(blank=True, help_text='Owner of the conversation or account.', max_length=150, verbose_name='person'),
        ),
        migrations.AlterField(
            model_name='auditentry',
            name='what',
            field=models.CharField(help_text='An admin page and its row, or the terms of a search.', max_length=200, verbose_name='what'),
        ),
        migrations.AlterField(
            model_name='conversation',
            name='client_id',
            field=models.UUIDField(editable=False, help_text='Chosen by the page, so that a repeated request creates one conversation only.', null=True),
        ),
        migrations.AlterField(
            model_name='conversation',
            name='leaves',
            field=models.JSONField(db_default=models.Value({}, models.JSONField()), default=dict, editable=False, help_text='For each version not on screen: the leaf of its branch that was shown last.'),
        ),
        migrations.AlterField(
            model_name='conversation',
            name='temperature',
            field=models.FloatField(blank=True, help_text="0 to 2; empty for the provider's default.", null=True),
        ),
        migrations.AlterField(
            model_name='endpoint',
            name='follows_environment',
            field=models.BooleanField(default=False, editable=False, help_text='Not changed here yet, so OPENAI_BASE_URL, OPENAI_API_KEY and CHAT_MODELS apply.'),
        ),
        migrations.AlterField(
            model_name='endpoint',
            name='key_variable',
            field=models.CharField(blank=True, help_text='Name of the environment variable that contains the API key; never the key itself.', max_length=100, validators=[django.core.validators.RegexValidator('\\A[A-Za-z_][A-Za-z0-9_]*\\Z', 'The name of an environment variable.')], verbose_name='API key variable'),
        ),
        migrations.AlterField(
            model_name='endpoint',
            name='learnt_windows',
            field=models.JSONField(db_default=models.Value({}, models.JSONField()), default=dict, editable=False, help_text="Context windows learned from the provider's errors: tokens and time, by model name."),
        ),
        migrations.AlterField(
            model_name='endpoint',
            name='name',
            field=models.CharField(max_length=100, unique=True, validators=[conversations.models.endpoint.check_printable, conversations.models.endpoint.check_endpoint_name], verbose_name='name'),
        ),
        migrations.AlterField(
            model_name='endpoint',
            name='offers_all',
            field=models.BooleanField(default=False, help_text='People may choose every chat model that the endpoint lists, except those disabled here. Models for embeddings, audio, images and the like are offered only if they are added here.', verbose_name='offer all listed models'),
        ),
        migrations.AlterField(
            model_name='endpoint',
            name='prefix',
            field=models.CharField(default='', editable=False, help_text='Starts the keys of its models and never changes. Empty for the endpoint from the environment.', max_length=100, unique=True),
        ),
        migrations.AlterField(
            model_name='endpoint',
            name='usual',
            field=models.CharField(blank=True, db_default='', default='', editable=False, help_text='Key of the listed model that is preselected unless an administrator chooses another.', max_length=200),
        ),
        migrations.AlterField(
            model_name='generation',
            name='characters',
            field=models.PositiveIntegerField(default=0, help_text='Written by this generation.', verbose_name='characters'),
        ),
        migrations.AlterField(
            model_name='generation',
            name='end_reason',
            field=models.CharField(blank=True, choices=[('finished', 'finished'), ('length', 'length limit'), ('content_filter', 'content filter'), ('stopped', 'stopped'), ('left', 'left the page'), ('connection_lost', 'connection lost'), ('superseded', 'replaced by the next message'), ('signed_out', 'signed out'), ('deleted', 'deleted'), ('stopped_by_admin', 'stopped by an administrator'), ('server_shutdown', 'server shut down'), ('server_lost', 'server lost'), ('provider_unreachable', 'provider unreachable'), ('provider_rejected', 'provider rejected'), ('rate_limited', 'rate limited'), ('provider_failed', 'provider failed'), ('truncated', 'truncated'), ('timed_out', 'timed out'), ('too_large', 'too large'), ('context_exceeded', 'too long for the model'), ('empty', 'empty answer'), ('tool_call', 'tool call'), ('unclear', 'unclear end'), ('storage', 'storage unavailable')], max_length=24, verbose_name='reason'),
        ),
        migrations.AlterField(
            model_name='generation',
            name='endpoint',
            field=models.CharField(blank=True, help_text="The provider's host.", max_length=200, verbose_name='endpoint'),
        ),
        migrations.AlterField(
            model_name='generation',
            name='price_in',
            field=models.DecimalField(decimal_places=6, help_text='Per million tokens, when the generation began.', max_digits=12, null=True, verbose_name='price in'),
        ),
        migrations.AlterField(
            model_name='generation',
            name='retry_after',
            field=models.PositiveIntegerField(help_text='Seconds that the provider asked to wait.', null=True, verbose_name='retry after'),
        ),
        migrations.AlterField(
            model_name='generation',
            name='stop_origin',
            field=models.CharField(blank=True, choices=[('page', "the person's page"), ('other_page', 'another page'), ('admin', 'the admin'), ('server', 'the server')], db_default='', max_length=10),
        ),
        migrations.AlterField(
            model_name='generation',
            name='stop_reason',
            field=models.CharField(blank=True, choices=[('finished', 'finished'), ('length', 'length limit'), ('content_filter', 'content filter'), ('stopped', 'stopped'), ('left', 'left the page'), ('connection_lost', 'connection lost'), ('superseded', 'replaced by the next message'), ('signed_out', 'signed out'), ('deleted', 'deleted'), ('stopped_by_admin', 'stopped by an administrator'), ('server_shutdown', 'server shut down'), ('server_lost', 'server lost'), ('provider_unreachable', 'provider unreachable'), ('provider_rejected', 'provider rejected'), ('rate_limited', 'rate limited'), ('provider_failed', 'provider failed'), ('truncated', 'truncated'), ('timed_out', 'timed out'), ('too_large', 'too large'), ('context_exceeded', 'too long for the model'), ('empty', 'empty answer'), ('tool_call', 'tool call'), ('unclear', 'unclear end'), ('storage', 'storage unavailable')], max_length=24),
        ),
        migrations.AlterField(
            model_name='generation',
            name='thought_tokens',
            field=models.PositiveIntegerField(db_default=0, help_text='Output tokens spent on hidden reasoning (estimate).', verbose_name='reasoning tokens'),
        ),
        migrations.AlterField(
            model_name='generation',
            name='title_tokens_in',
            field=models.PositiveIntegerField(help_text="Tokens of the request for the conversation's title, included above; empty if there was none.", null=True),
        ),
        migrations.AlterField(
            model_name='generation',
            name='turns_dropped',
            field=models.PositiveIntegerField(db_default=0, help_text="Oldest messages left out because the model's context window is too small.", verbose_name='messages left out'),
        ),
        migrations.AlterField(
            model_name='generation',
            name='usage_final',
            field=models.BooleanField(db_default=False, help_text='Tokens were reported by the provider or counted, and are final.'),
        ),
        migrations.AlterField(
            model_name='generation',
            name='usage_source',
            field=models.CharField(blank=True, choices=[('provider', 'provider'), ('estimated', 'estimated')], max_length=10, verbose_name='token source'),
        ),
        migrations.AlterField(
            model_name='languagemodel',
            name='context_window',
            field=models.PositiveIntegerField(blank=True, help_text='Tokens of prompt and answer together; empty to use what the endpoint reports.', null=True, verbose_name='context window'),
        ),
        migrations.AlterField(
            model_name='languagemodel',
            name='continues_by',
            field=models.CharField(choices=[('prefill', 'prefilling the answer with the text so far'), ('instruction', 'asking it to continue')], default='instruction', max_length=11, verbose_name='continues by'),
        ),
        migrations.AlterField(
            model_name='languagemodel',
            name='endpoint',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='models', to='conversations.endpoint', verbose_name='endpoint'),
        ),
        migrations.AlterField(
            model_name='languagemodel',
            name='groups',
            field=models.ManyToManyField(blank=True, help_text='Groups that may use it; none means everybody.', related_name='+', to='auth.group', verbose_name='groups'),
        ),
        migrations.AlterField(
            model_name='languagemodel',
            name='label',
            field=models.CharField(blank=True, help_text='Empty to show the name.', max_length=200, verbose_name='label'),
        ),
        migrations.AlterField(
            model_name='languagemodel',
            name='name',
            field=models.CharField(help_text="The provider's name for it.", max_length=200, validators=[conversations.models.endpoint.check_printable], verbose_name='name'),
        ),
        migrations.AlterField(
            model_name='languagemodel',
            name='price_in',
            field=models.DecimalField(blank=True, decimal_places=6, help_text='Per million prompt tokens.', max_digits=12, null=True, validators=[django.core.validators.MinValueValidator(0)], verbose_name='price in'),
        ),
        migrations.AlterField(
            model_name='languagemodel',
            name='price_out',
            field=models.DecimalField(blank=True, decimal_places=6, help_text='Per million answer tokens.', max_digits=12, null=True, validators=[django.core.validators.MinValueValidator(0)], verbose_name='price out'),
        ),
        migrations.AlterField(
            model_name='message',
            name='client_id',
            field=models.UUIDField(editable=False, help_text="The page's id of its command, so that a repeated command creates one message only.", null=True),
        ),
        migrations.AlterField(
            model_name='preferences',
            name='language',
            field=models.CharField(blank=True, help_text="Empty for the browser's language.", max_length=10),
        ),
        migrations.AlterField(
            model_name='preferences',
            name='last_model',
            field=models.CharField(blank=True, db_default='', default='', editable=False, help_text='Key of the last chosen model.', max_length=200),
        ),
        migrations.AlterField(
            model_name='presence',
            name='cause',
            field=models.CharField(default='left', help_text='Why it ended, once it has.', max_length=24),
        ),
        migrations.RunPython(rename_permissions, migrations.RunPython.noop),
    ]
