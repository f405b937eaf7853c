"""From a command that asks to a generation that runs; and from a stop to one that ends. Tasks of the registry's."""

import asyncio
import logging
import time
import uuid
from dataclasses import dataclass

from django.contrib.auth.base_user import AbstractBaseUser
from django.db.models.functions import Now
from django.utils import translation
from django.utils.translation import gettext as _

from . import context, frames, history, rendering, shares, sweeping, watching
from .catalogue import catalogue
from .database import AWAY, in_database
from .following import Begun
from .frames import Asking, Refusal, Send, Stop, Watch
from .generation import INTERNAL
from .history import Asker, Busy, Repeated, Started
from .lifecycle import Outcome
from .models import Generation
from .outcomes import EndReason, Status
from .registry import ASK, Registry
from .sockets import Socket
from .stopper import Stopper

logger = logging.getLogger(__name__)

COUNTS = 10
"""How often a command may find texts that have to be counted first: usually once. More texts than are remembered would
be found uncounted for ever."""

ATTEMPTS = 3
"""How often a running answer may come in between before the person is asked to try again."""

OWN_END = 5.0
OTHERS_END = 3.0
"""Seconds that a generation of this process, of another process, may take to end when a new prompt replaces it."""


@dataclass(slots=True)
class UnderWay:
    """A command that is being carried out: who waits for it, and whether it was stopped meanwhile."""

    sockets: list[Socket]
    stopped: Stopper | None = None


class Asks:
    """The commands under way, so that a stop can find one that has no generation yet."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._under_way: dict[tuple[int, uuid.UUID], UnderWay] = {}

    def stop(self, user: int, command: uuid.UUID, tab: str) -> bool:
        """Stop a command before its generation runs; False if it is not under way here."""
        under_way = self._under_way.get((user, command))
        if under_way is None:
            return False
        under_way.stopped = Stopper.in_tab(user, tab, [socket.tab for socket in under_way.sockets])
        return True

    def begin(self, socket: Socket, user: AbstractBaseUser, command: Asking) -> None:
        """Carry the command out, in a task of the registry. A repetition of one under way is the same one: a page that
        lost its socket right after asking comes with a new one."""
        key = (user.pk, command.id)
        self._registry.titles.cancel_of(user.pk)  # a server that does one thing at a time is to do this one
        if isinstance(command, Send) and command.conversation is None:
            self._registry.sockets.show(socket, None)  # whether the page said so before or not
        if key in self._under_way:
            self._under_way[key].sockets.append(socket)
            return
        self._under_way[key] = UnderWay([socket])
        self._registry.spawn(self._carry_out(user, command), name=ASK)

    async def _carry_out(self, user: AbstractBaseUser, command: Asking) -> None:
        """Whatever goes wrong, the page hears of it."""
        key = (user.pk, command.id)
        under_way = self._under_way[key]
        try:
            await self._answer(user, command, under_way)
        except Refusal as refusal:
            self._refuse(under_way, command, refusal)
        except AWAY as error:
            logger.warning("a command was not carried out: %s", type(error).__name__)
            self._refuse(under_way, command, Refusal("busy", busy_sentence()))
        except Exception:
            logger.exception("a command failed")
            self._refuse(under_way, command, failed())
        finally:
            del self._under_way[key]

    async def _answer(self, user: AbstractBaseUser, command: Asking, under_way: UnderWay) -> None:
        outcome = await self._write(user, command, under_way.sockets[0].tab)
        if isinstance(outcome, Started):
            try:
                self._registry.launch(outcome, user.pk, command.id, stopped=under_way.stopped)
                self._attend(under_way.sockets, outcome)
                await self._show(under_way.sockets, user, command, outcome)
            except Exception:
                logger.exception("generation %s could not be begun", outcome.generation.pk)
                outcome = await self._given_up(under_way, outcome)
            else:
                return
        await self._stop_repeated(user, command, under_way)
        await self._show(under_way.sockets, user, command, outcome)
        await self._stop_repeated(user, command, under_way)

    async def _given_up(self, under_way: UnderWay, started: Started) -> Repeated:
        """It stands in the database, so it ends there, and the pages are shown what came of it."""
        live = self._registry.live.get(started.generation.pk)
        if live is not None and live.task is not None:
            live.fail(Outcome(EndReason.PROVIDER_FAILED, code=INTERNAL))
            end = live.task
        else:
            end = self._registry.spawn(self._registry.end_unlaunched(started), name=ASK)
        await asyncio.wait({end}, timeout=OWN_END)
        for socket in self._registry.sockets.showing(started.conversation.pk):
            if socket not in under_way.sockets:
                socket.catch_up(None)
        return Repeated(started.conversation.pk, started.after)

    async def _stop_repeated(self, user: AbstractBaseUser, command: Asking, under_way: UnderWay) -> None:
        """The command was carried out before, here or elsewhere: a stop that named it means what came of it."""
        by, under_way.stopped = under_way.stopped, None
        if by is None:
            return
        generation = await in_database(watching.standing, user, None, command.id)
        if generation is not None and generation.status == Status.STREAMING:
            await ask_owner(self._registry, generation.pk, EndReason.STOPPED, by)

    def _refuse(self, under_way: "UnderWay", command: Asking, refusal: Refusal) -> None:
        for socket in under_way.sockets:
            socket.push(frames.refused(str(command.id), command.name, refusal))

    async def _write(self, user: AbstractBaseUser, command: Asking, tab: str) -> Started | Repeated:
        if self._registry.stopping:
            raise Refusal("stopping", stopping_sentence())
        if not catalogue.offered:
            await catalogue.list_models()
        asker = Asker(user, self._registry.process, catalogue.offered)
        for _attempt in range(ATTEMPTS):
            outcome = await _begin(asker, command)
            if not isinstance(outcome, Busy):
                return outcome
            by = stopper(self._registry, outcome.generation, user.pk, tab)
            await end_running(self._registry, outcome.generation, EndReason.SUPERSEDED, by)
        raise Refusal("busy", busy_sentence())

    def _attend(self, sockets: list[Socket], started: Started) -> None:
        """Whoever asked is there for it, and so is every page with that conversation; unless they have left since."""
        live = self._registry.live.get(started.generation.pk)
        if live is None:
            return
        for socket in sockets:
            live.asked_in.add(socket.tab)
            self._registry.attend(live, socket)
        for socket in self._registry.sockets.showing(started.conversation.pk):
            self._registry.attend(live, socket)
        if not live.attendance.anybody:
            self._registry.left_at_once(live, sockets[-1])

    async def _show(
        self, sockets: list[Socket], user: AbstractBaseUser, command: Asking, outcome: Started | Repeated
    ) -> None:
        """To every page in its language. Others may ask for the same meanwhile, so it ends when nobody is left."""
        shown: set[Socket] = set()
        so_far = await self._so_far(outcome) if isinstance(outcome, Started) else ""
        while left := [viewer for viewer in self._viewers(sockets, outcome) if viewer not in shown]:
            language = left[0].language
            with translation.override(language):
                if isinstance(outcome, Started):
                    state = watching.started(outcome, command.id, so_far)
                else:
                    shown_to = (user, outcome.conversation, outcome.after, command.id)
                    state = await shares.database.work(user.pk, watching.show, *shown_to)
            for viewer in self._viewers(sockets, outcome):
                if viewer.language == language and viewer not in shown:
                    shown.add(viewer)
                    present(self._registry, viewer, state)

    async def _so_far(self, started: Started) -> str:
        """The HTML of the answer that this generation continues."""
        live = self._registry.live.get(started.generation.pk)
        if live is not None:
            return await live.broadcast.so_far()
        answer, _done = await asyncio.to_thread(rendering.growing, started.answer.content, last=False)
        return answer.whole()

    def _viewers(self, sockets: list[Socket], outcome: Started | Repeated) -> list[Socket]:
        """Who has to be shown what came of a command: who asked, and of something new every page that is there."""
        conversation = outcome.conversation.pk if isinstance(outcome, Started) else outcome.conversation
        for socket in sockets:
            if socket.conversation is None:
                self._registry.sockets.show(socket, conversation)
        return self._registry.sockets.showing(conversation) if isinstance(outcome, Started) else sockets


async def _begin(asker: Asker, command: Asking) -> Started | Busy | Repeated:
    """Texts that have to be counted first are counted outside of the transaction and of the database's threads. Raises
    Refusal."""
    for _attempt in range(COUNTS):
        try:
            return await shares.database.work(asker.user.pk, history.begin, asker, command)
        except context.Uncounted as missing:
            await asyncio.to_thread(context.measure, missing.texts)
    raise Refusal("busy", busy_sentence())


def present(registry: Registry, socket: Socket, state: watching.State) -> None:
    """Bring a page up to date, and let it follow what runs. One that has gone is nobody's viewer."""
    if socket not in registry.sockets:
        return
    if state.transcript is not None:
        socket.push(state.transcript)
    live = registry.by_conversation.get(state.conversation)
    if live is not None:
        registry.attend(live, socket)
        if not state.aside:
            live.broadcast.attach(socket)
    elif state.generation is not None and state.message is not None:
        _follow(registry, socket, state, Begun(state.generation, state.message, state.conversation))


def _follow(registry: Registry, socket: Socket, state: watching.State, begun: Begun) -> None:
    """Show what does not run here. A run of this process is over since it was read, or its launch, which shows it to
    every page that is there, is yet to come."""
    if state.owner != registry.process:
        registry.attend_elsewhere(begun, socket)
    elif registry.has_ended(begun.generation):
        socket.catch_up(begun.message)


async def watch(registry: Registry, socket: Socket, user: AbstractBaseUser, command: Watch) -> None:
    """Show a conversation on a socket. Raises Refusal."""
    try:
        await _watch(registry, socket, user, command)
    except (Refusal, *AWAY):
        raise
    except Exception as error:
        logger.exception("a conversation cannot be shown")
        raise failed() from error


async def _watch(registry: Registry, socket: Socket, user: AbstractBaseUser, command: Watch) -> None:
    turn = socket.next_turn()
    for live in registry.live.values():
        live.broadcast.detach(socket)
    registry.following.detach(socket)
    if command.conversation is None:
        registry.sockets.show(socket, None)
        socket.push(frames.watching(None, None))
        return
    state = await shares.database.work(user.pk, watching.load, user, command, lambda: socket.turn == turn)
    if socket.turn != turn or socket not in registry.sockets:  # it has gone on to another conversation, or away
        return
    registry.sockets.show(socket, state.conversation)
    socket.push(frames.watching(state.conversation, state.generation))
    present(registry, socket, state)


def stop(registry: Registry, asks: Asks, socket: Socket, user: AbstractBaseUser, command: Stop) -> None:
    """A person's Stop. What runs here is cancelled before this returns."""
    live = None
    if command.generation is not None:
        live = registry.live.get(command.generation)
    elif command.id is not None:
        live = registry.by_command.get((user.pk, command.id))
    if live is not None and live.user == user.pk:
        live.stop(EndReason.STOPPED, Stopper.in_tab(user.pk, socket.tab, live.asked_in))
    elif command.id is None or not asks.stop(user.pk, command.id, socket.tab):
        registry.spawn(_stop_elsewhere(registry, socket, user, command))


async def _stop_elsewhere(registry: Registry, socket: Socket, user: AbstractBaseUser, command: Stop) -> None:
    """It runs in another process, has ended, or is nobody's business."""
    try:
        await _stop_by_row(registry, socket, user, command)
    except Refusal as refusal:
        _refuse_stop(socket, command, refusal)
    except AWAY as error:
        logger.warning("a stop was not carried out: %s", type(error).__name__)
        _refuse_stop(socket, command, Refusal("busy", busy_sentence()))
    except Exception:
        logger.exception("a stop failed")
        _refuse_stop(socket, command, failed())


async def _stop_by_row(registry: Registry, socket: Socket, user: AbstractBaseUser, command: Stop) -> None:
    wanted = (user, command.generation, command.id)
    generation = await shares.database.work(user.pk, watching.standing, *wanted)
    if generation is not None and generation.end_reason == EndReason.CONNECTION_LOST:
        await in_database(note_late_stop, generation.pk, stopper(registry, generation.pk, user.pk, socket.tab))
    if generation is None:
        _refuse_stop(socket, command, history.not_found())
    elif generation.status == Status.STREAMING:
        socket.push(frames.stopping(generation.pk))
        by = stopper(registry, generation.pk, user.pk, socket.tab)
        await ask_owner(registry, generation.pk, EndReason.STOPPED, by)
    else:
        status, reason = generation.status, generation.end_reason
        socket.push(frames.standing(generation.pk, generation.message_id, status, reason, command.id))


def _refuse_stop(socket: Socket, command: Stop, refusal: Refusal) -> None:
    socket.push(frames.refused(str(command.id) if command.id else None, "stop", refusal))


def stopper(registry: Registry, generation: uuid.UUID, user: int, tab: str) -> Stopper:
    """Somebody at one of their own pages. In which tabs it was asked for is known to the owner only, so for the others
    it is another one."""
    live = registry.live.get(generation)
    return Stopper.in_tab(user, tab, live.asked_in if live is not None else ())


async def ask_owner(registry: Registry, generation: uuid.UUID, reason: EndReason, by: Stopper) -> None:
    """Ask the owner of a generation, whichever process that is, to end it. It hears by the doorbell, else at its next
    tick."""
    live = registry.live.get(generation)
    if live is not None:
        live.stop(reason, by)
        return
    registry.doorbell.ring("stop", id=str(generation), reason=reason.value, **by.words)
    await in_database(request_stop, generation, reason, by)


def request_stop(generation: uuid.UUID, reason: EndReason, by: Stopper) -> None:
    """The first request counts."""
    Generation.objects.streaming().filter(pk=generation, stop_reason="").update(
        stop_reason=reason, stop_requested_at=Now(), stop_origin=by.origin, stopped_by=by.person
    )


def note_late_stop(generation: uuid.UUID, by: Stopper) -> None:
    """A page stopped it without a network, and the server ended it before that arrived. How and when it ended stays:
    `stop_requested_at` is the server's own decision, so that the press counts in no latency."""
    Generation.objects.filter(pk=generation, end_reason=EndReason.CONNECTION_LOST, stop_reason="").update(
        stop_reason=EndReason.STOPPED, stop_origin=by.origin, stopped_by=by.person
    )


async def end_running(registry: Registry, generation: uuid.UUID, reason: EndReason, by: Stopper) -> None:
    """Return when this generation has ended. An owner that does not answer is overruled, and fenced by that."""
    live = registry.live.get(generation)
    if live is not None and live.task is not None:
        live.stop(reason, by)
        await asyncio.wait({live.task}, timeout=OWN_END)
        return
    await ask_owner(registry, generation, reason, by)
    deadline = time.monotonic() + OTHERS_END
    while time.monotonic() < deadline:
        if not await in_database(_streams, generation):
            return
        await asyncio.sleep(0.05)
    await in_database(sweeping.take_away, generation, reason)


def _streams(generation: uuid.UUID) -> bool:
    return Generation.objects.streaming().filter(pk=generation).exists()


def busy_sentence() -> str:
    return _("That did not go through. Please try again.")


def stopping_sentence() -> str:
    return _("The server is restarting. Please try again in a moment.")


def failed() -> Refusal:
    """Something that nobody has thought of; the log has it."""
    return Refusal("internal", _("Something went wrong on the server. Please try again."))
