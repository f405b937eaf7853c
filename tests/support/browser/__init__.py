"""Browsers for tests: Chromium through Playwright, Chromium as people have it, Firefox."""
