"""Each endpoint gets a prefix for the keys of its models; what was learnt about endpoints, and chosen by people, is kept."""

from typing import Any

from django.db import migrations, models
from django.utils.translation import gettext_lazy as _


def give_prefixes(apps: Any, _schema: Any) -> None:
    """The oldest endpoint, mostly the environment's, goes on with names as they are."""
    for row in apps.get_model("conversations", "Endpoint").objects.order_by("pk")[1:]:
        row.prefix = row.name
        row.save()


def nothing(_apps: Any, _schema: Any) -> None: ...


PREFIX = {
    "default": "",
    "editable": False,
    "help_text": _("Begins the keys of its models, and never changes. Empty for the one of the environment."),
    "max_length": 100,
}


class Migration(migrations.Migration):
    dependencies = [("conversations", "0018_admin_endpoint_names")]

    operations = [
        migrations.AddField("endpoint", "prefix", models.CharField(**PREFIX)),
        migrations.RunPython(give_prefixes, nothing),
        migrations.AlterField("endpoint", "prefix", models.CharField(**PREFIX, unique=True)),
    ]
