"""The history, the runs that wrote it, and what people and administrators chose."""

from conversations.rules.stop_request import StopOrigin

from .audit import Action, AuditEntry
from .conversation import Conversation, TitleSource
from .endpoint import ContinuesBy, Endpoint, LanguageModel
from .generation import Generation, Kind, Piece, Presence, UsageSource
from .message import Message, Role
from .preferences import Preferences, Theme, WhenLeaving
from .process import ServerProcess
from .search import SearchEntry
from .summary import SummaryCell, SummaryChange, SummaryState

__all__ = [
    "Action",
    "AuditEntry",
    "ContinuesBy",
    "Conversation",
    "Endpoint",
    "Generation",
    "Kind",
    "LanguageModel",
    "Message",
    "Piece",
    "Preferences",
    "Presence",
    "Role",
    "SearchEntry",
    "ServerProcess",
    "StopOrigin",
    "SummaryCell",
    "SummaryChange",
    "SummaryState",
    "Theme",
    "TitleSource",
    "UsageSource",
    "WhenLeaving",
]
