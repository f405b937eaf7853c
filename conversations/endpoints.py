"""Where models come from: the endpoint of the environment, or the demo model."""

from dataclasses import dataclass
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An OpenAI-compatible base URL and its key. The key never leaves the process but to that URL."""

    base_url: str
    key: str
    demo: bool = False

    @property
    def name(self) -> str:
        """What administrators see: the host, without path or user."""
        return "demo" if self.demo else urlsplit(self.base_url).hostname or ""

    def __repr__(self) -> str:
        return f"Endpoint({self.name!r})"
