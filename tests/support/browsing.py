"""What browser tests do again and again."""

from axe_playwright_python.sync_playwright import Axe

from tests.support import stored

WIDE = {"width": 1280, "height": 720}
PHONE = {"width": 360, "height": 740}


def violations(page):
    if not page.evaluate("window.axe"):
        page.evaluate(Axe().axe_script)
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")["violations"]
    return {fault["id"]: [(node["html"][:200], node["failureSummary"]) for node in fault["nodes"]] for fault in found}


def check(page, state, *looks):
    for size, scheme in looks or ((WIDE, "light"), (PHONE, "dark")):
        page.set_viewport_size(size)
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # no colour between two
        assert violations(page) == {}, (state, size, scheme)
    page.set_viewport_size(WIDE)


def generation(chat):
    """The id of the last answer's run."""
    return str(stored.Generation.objects.get(message_id=chat.answer.get_attribute("data-message-id")).pk)


def begin(chat, provider, *tokens):
    """Ask in a new conversation; returns the exchange once its first words are on the page."""
    exchange = provider.expect()
    chat.open().ask(exchange.prompt)
    exchange.write_tokens(*(tokens or ("Bees ", "**hum** ", "and")))
    chat.see("Bees")
    return exchange


def options(chat, title):
    row = chat.page.locator(".row", has_text=title)
    row.hover()
    row.get_by_role("button", name=f"Options for “{title}”").click()
    return chat.page.locator("#row-menu")
