"""A reader of a stream that pauses after each text."""


class PausingReader:
    """Accepts what a stream delivers, and pauses after each batch."""

    def __init__(self):
        self.text = ""
        self.times = 0

    def opened(self): ...
    def alive(self, thoughts=0, characters=0): ...
    def usage(self, tokens_in, tokens_out): ...
    def finished(self, reason): ...

    def delta(self, text, pieces):
        self.text += text

    def batch_read(self):
        self.times += 1
        return 0.1
