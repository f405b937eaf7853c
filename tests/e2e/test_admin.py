"""The administration in a browser: its policy blocks nothing of it, assistive technology can use it, Stop works."""

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from tests import stored
from tests.pages import Chat, give_session

LIST = "/admin/conversations/generation/"


# Django's own search form labels its field with a picture, which axe does not take for a label.
CHECKED = {"include": [["#content"]], "exclude": [["#toolbar"]]}


def faults(tab):
    heard = list(tab.complaints)
    found = Axe().run(tab.page, context=CHECKED).response["violations"]
    tab.complaints[:] = heard  # axe tries an inline style, which the policy refuses
    return {fault["id"]: [node["html"][:200] for node in fault["nodes"]] for fault in found}


def test_staff_sees_a_run_and_stops_it(browser, staff, bob, server, answering):
    a = answering(bob, "Bees ", "**hum**")
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    give_session(context, staff)
    tab = Chat(context.new_page(), server)
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
    assert stored.outcome(a.asked) == ("interrupted", "stopped_by_admin")
    assert tab.complaints == []
    context.close()
