"""A command that is not carried out."""


class Refusal(Exception):
    """A command that is not carried out. `sentence` is for the person, `code` for the page."""

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code
        self.sentence = sentence
