"""Checks a page with axe."""

from axe_playwright_python.sync_playwright import Axe

WIDE = {"width": 1280, "height": 720}
PHONE = {"width": 360, "height": 740}


def violations(page):
    if not page.evaluate("window.axe"):
        page.evaluate(Axe().axe_script)
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")["violations"]
    return {fault["id"]: [(node["html"][:200], node["failureSummary"]) for node in fault["nodes"]] for fault in found}


def assert_accessible(page, state, *looks):
    for size, scheme in looks or ((WIDE, "light"), (PHONE, "dark")):
        page.set_viewport_size(size)
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # so no colour is in transition
        assert violations(page) == {}, (state, size, scheme)
    page.set_viewport_size(WIDE)
