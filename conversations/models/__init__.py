"""The stored data: conversations, the generations that wrote them, endpoints and models, preferences, the audit log."""

from conversations.rules.stop_request import StopOrigin

from .audit import Action, AuditEntry
from .conversation import Conversation, TitleSource
from .endpoint import Endpoint
from .generation import Generation, Kind, UsageSource
from .language_model import ContinuesBy, LanguageModel
from .message import Message, Role
from .piece import Piece
from .preferences import Preferences, Theme, WhenLeaving
from .presence import Presence
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
