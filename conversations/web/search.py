"""The search: a page, or a dialog over the chat."""

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from conversations.models import Conversation
from conversations.models.conversation import parse_id

from .request_type import HttpRequest
from .search_results import find

MAX_RECENT = 6
"""Conversations that are offered before anything is typed."""


@never_cache
@login_required
@require_safe
def search(request: HttpRequest) -> HttpResponse:
    """GET: a page; for htmx the content of the dialog, or only the results if they are its target. `?q=` is the search,
    `?after=` the last hit of the page before."""
    text = request.GET.get("q", "").replace("\0", " ").strip()
    after = parse_id(request.GET.get("after", ""))
    results = find(request.user, text, after) if text else None
    context: dict[str, object] = {"q": text, "results": results, "continued": after is not None}
    if results is None:
        context["recent"] = Conversation.objects.visible_to(request.user).begun().newest_first()[:MAX_RECENT]
    if not request.htmx:
        return render(request, "conversations/search.html", context)
    results_only = after is not None or request.htmx.target == "search-results"
    return render(request, f"conversations/{'_search_results' if results_only else '_search'}.html", context)
