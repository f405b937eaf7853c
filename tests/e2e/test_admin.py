"""The admin in a browser: its content security policy blocks nothing, axe finds no violations, and Stop works."""

from urllib.parse import quote

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.contrib.sessions.models import Session
from playwright.sync_api import expect

from tests.support import generations
from tests.support.browser.chat import Chat, sign_in_browser
from tests.support.conversations import conversation

LIST = "/admin/conversations/generation/"


# Django's search form labels its field with an image, which axe does not accept as a label.
CHECKED = {"include": [["#content"]], "exclude": [["#toolbar"]]}


def faults(tab):
    before = len(tab.complaints)
    found = Axe().run(tab.page, context=CHECKED).response["violations"]
    # axe tries an inline style, which the policy refuses. All other complaints come from the page.
    tab.complaints[before:] = [each for each in tab.complaints[before:] if "inline style" not in each]
    return {fault["id"]: [node["html"][:200] for node in fault["nodes"]] for fault in found}


@pytest.fixture
def desk(browser, staff, server):
    """An administrator's tab."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    sign_in_browser(context, staff)
    tab = Chat(context.new_page(), server)
    yield tab
    assert tab.complaints == []
    context.close()


def test_staff_sees_a_generation_and_stops_it(desk, bob, answering):
    a, tab = answering(bob, "Bees ", "**hum**"), desk
    tab.open(f"{LIST}?person={bob.user.username}")
    assert faults(tab) == {}
    tab.open(f"{LIST}{a.asked.generation}/change/")
    assert faults(tab) == {}
    expect(tab.page.get_by_role("article").last).to_contain_text("Bees hum")
    tab.open(f"{LIST}running/")
    assert faults(tab) == {}
    a.exchange.write_tokens(" all day")
    row = tab.page.get_by_role("row").filter(has_text=bob.user.username)
    expect(row.get_by_role("cell").nth(3)).to_have_text("20")  # characters, without a reload
    row.get_by_role("button").click()
    expect(tab.page.locator(".messagelist")).to_contain_text("stopped by an administrator")
    assert generations.outcome(a.asked) == ("interrupted", "stopped_by_admin")


def test_admin_pages_have_no_axe_violations(desk, bob):
    made = conversation(bob, "About bees")
    for page in (
        f"/admin/conversations/conversation/?person={bob.user.username}",
        f"/admin/conversations/conversation/{made.pk}/change/",
        f"/admin/conversations/message/{made.head_id}/change/",
        "/admin/conversations/auditentry/",
        f"/admin/auth/user/{bob.user.pk}/delete/",
    ):
        desk.open(page)
        assert faults(desk) == {}, page


RUNNING = f"{LIST}running/"


def test_live_list_redirects_to_sign_in_after_the_session_ended(desk, staff):
    desk.open(RUNNING)
    Session.objects.get(pk=staff.session).delete()
    desk.page.wait_for_url(lambda url: "/admin/login/" in url)
    expect(desk.page.get_by_label("Username")).to_be_visible()
    assert f"next={quote(RUNNING, safe='')}" in desk.page.url


def test_live_list_is_not_refreshed_in_a_hidden_tab(desk):
    def asked():
        return sum("/running/rows/" in url for url in desk.requests)

    def show(hidden):
        desk.page.evaluate(f"window.hiddenNow = {hidden}; document.dispatchEvent(new Event('visibilitychange'))")

    desk.page.clock.install()
    desk.page.add_init_script("Object.defineProperty(document, 'hidden', {get: () => window.hiddenNow === true})")
    desk.open(RUNNING)
    with desk.page.expect_response("**/running/rows/"):
        desk.page.clock.run_for(2100)
    show("true")
    before = asked()
    desk.page.clock.run_for(10_000)
    assert asked() == before
    with desk.page.expect_response("**/running/rows/"):
        show("false")
