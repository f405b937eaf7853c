"""The reasons why a block of Markdown is not rendered in the usual way."""


class NotQuickError(Exception):
    """Part of a block takes longer than the event loop may wait."""


class TooComplexError(Exception):
    """A block is nested too deeply, or has more parts than a page should have to show."""
