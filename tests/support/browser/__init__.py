"""Browsers for tests: Chromium with Playwright, plain Chromium, and Firefox."""
