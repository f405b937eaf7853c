"""The history and the runs that wrote it."""

from .conversation import Conversation
from .generation import Generation, Kind, Piece, Presence, UsageSource
from .message import Message, Role
from .process import ServerProcess

__all__ = [
    "Conversation",
    "Generation",
    "Kind",
    "Message",
    "Piece",
    "Presence",
    "Role",
    "ServerProcess",
    "UsageSource",
]
