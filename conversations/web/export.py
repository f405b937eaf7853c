"""Downloads of a conversation: the branch on screen as Markdown, or all of its messages as JSON."""

import re
import uuid
from collections.abc import AsyncIterator

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, StreamingHttpResponse
from django.utils.http import content_disposition_header
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from conversations.models import Conversation
from conversations.storage.db_threads import in_database
from conversations.storage.request_connections import release

from . import export_json, export_markdown
from .request_type import User

MAX_NAME = 80
"""Characters of a file's name, without its extension."""

# Control characters, those that file systems refuse, and those that reverse the direction of text.
_NOT_IN_NAMES = re.compile(r"[\x00-\x1f\x7f/\\:*?\"<>|\u200e\u200f\u202a-\u202e\u2066-\u2069]+")


@never_cache
@login_required
@require_safe
async def markdown(request: HttpRequest, pk: uuid.UUID) -> StreamingHttpResponse:
    """GET: the file, streamed as it is read from the database."""
    conversation = await _own_conversation(request, pk)
    parts = export_markdown.markdown(conversation)
    return _download(conversation, "md", "text/markdown; charset=utf-8", parts)


@never_cache
@login_required
@require_safe
async def json(request: HttpRequest, pk: uuid.UUID) -> StreamingHttpResponse:
    """GET: the file, streamed as it is read from the database."""
    conversation = await _own_conversation(request, pk)
    return _download(conversation, "json", "application/json", export_json.json(conversation))


def file_name(title: str, extension: str) -> str:
    """A name that every file system accepts, and whose extension shows as it is."""
    words = " ".join(_NOT_IN_NAMES.sub(" ", title).split())[:MAX_NAME].strip(" .")
    return f"{words or 'conversation'}.{extension}"


async def _own_conversation(request: HttpRequest, pk: uuid.UUID) -> Conversation:
    """Load the person's conversation. Raises Http404. Releases the request's database connection, so that a slow
    download holds none."""
    user = await request.auser()
    await release()
    return await in_database(_find, user, pk)


def _find(user: User, pk: uuid.UUID) -> Conversation:
    conversation = Conversation.objects.visible_to(user).filter(pk=pk).first()
    if conversation is None:
        raise Http404
    return conversation


def _download(
    conversation: Conversation, extension: str, content_type: str, parts: AsyncIterator[str]
) -> StreamingHttpResponse:
    response = StreamingHttpResponse(parts, content_type=content_type)
    name = file_name(conversation.title, extension)
    response["Content-Disposition"] = content_disposition_header(as_attachment=True, filename=name) or "attachment"
    return response
