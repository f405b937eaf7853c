"""Reads `/metrics`."""

from prometheus_client.parser import text_string_to_metric_families

from tests.support import people
from tests.support.environment import METRICS_TOKEN


def request(server, path="/metrics", method="GET", **headers):
    return people.Person(None, "", server).request(method, path, headers=headers)


def scrape(server):
    """All samples as {(name, label values in the order of the label names…): value}."""
    page = request(server, Authorization=f"Bearer {METRICS_TOKEN}")
    assert page.status == 200
    families = text_string_to_metric_families(page.html)
    return {
        (each.name, *(value for _, value in sorted(each.labels.items()))): each.value
        for family in families
        for each in family.samples
    }
