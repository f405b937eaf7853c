"""Stop over HTTP, for pages whose socket is not connected, or that run no scripts."""

import uuid

from django.conf import settings
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from conversations.commands.end_generation import request_end
from conversations.generation.supervisor import supervisor
from conversations.models import Generation
from conversations.rules.status import EndReason, Status
from conversations.rules.stop_request import StopRequest
from conversations.storage.db_threads import in_database
from conversations.storage.request_connections import release

from .request_type import HttpRequest, User


@require_POST
async def stop(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """POST: stop a generation, wherever it runs. If it runs in this process, cancels it before it looks anything up."""
    user = await request.auser()
    if not user.is_authenticated:
        return redirect(f"{settings.LOGIN_URL}?next=/")
    live = supervisor.live.get(pk)
    if live is not None and live.user == user.pk:
        live.stop(EndReason.STOPPED, StopRequest.from_page(user.pk))
        return _response(request, live.conversation)
    await release()
    generation = await in_database(_own_generation, user, pk)
    if generation is None:
        raise Http404
    if generation.status == Status.STREAMING:
        await request_end(supervisor, pk, EndReason.STOPPED, StopRequest.from_page(user.pk))
    return _response(request, generation.conversation_id)


def _own_generation(user: User, pk: uuid.UUID) -> Generation | None:
    return Generation.objects.visible_to(user).filter(pk=pk).first()


def _response(request: HttpRequest, conversation_id: uuid.UUID) -> HttpResponse:
    if request.headers.get("accept", "").startswith("application/json") or request.htmx:
        return HttpResponse(status=204)
    return redirect("conversation", conversation_id)
