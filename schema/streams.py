"""Operations whose results are delivered one after the other, encoded once for all who have subscribed to the same.

How it works: each subscriber begins with an execution of its own, which reads the event log from its own place and goes on only
when its last item is taken. At the end of the log it joins the execution that serves all others with the same document,
variables and rights; where there is none, its own is the one that serves those to come. An execution tells when it has come
to the end and for each item its position, and whoever joins is given what lies beyond its own: no event is left out, and none
comes twice. From then on its queue is bounded. One that is full ends its subscription: the reader is too slow, and may
resume from the last cursor that it has.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Mapping
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Final

import anyio
import orjson
import strawberry
from graphql import GraphQLError
from strawberry.types import ExecutionResult
from strawberry.types.execution import PreExecutionError

from schema.codes import show_errors
from schema.context import Context
from schema.errors import SlowConsumer
from schema.feeds import Feed
from schema.operations import Operation, is_refused, position_variable

# What an execution of a single subscriber may be ahead of it.
_AHEAD: Final = 2


class Kind(Enum):
    """What a message is, as the protocols have it."""

    NEXT = "next"
    ERROR = "error"
    COMPLETE = "complete"


@dataclass(frozen=True, slots=True)
class Message:
    """One step of an operation: a result, the errors that kept it from being executed, or its end."""

    kind: Kind
    payload: str = ""
    """JSON: a result, or a list of errors."""
    cursor: int | None = None
    """Where to resume after it, when it is a place for that."""

    @property
    def is_last(self) -> bool:
        """Whether nothing follows."""
        return self.kind is not Kind.NEXT


_COMPLETE: Final = Message(Kind.COMPLETE)


class Streams:
    """All operations of a process that are being delivered."""

    def __init__(self, schema: strawberry.Schema, *, queue: int) -> None:
        """`queue` is how many messages may wait for a reader."""
        self._schema = schema
        self._queue = queue
        self._shared: dict[object, _Source] = {}
        self._open: set[Stream] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def executions(self) -> int:
        """How many executions serve all that has come to the end of the log."""
        return len(self._shared)

    @property
    def open(self) -> int:
        """How many operations are being delivered."""
        return len(self._open)

    @asynccontextmanager
    async def deliver(
        self, operation: Operation, context: Context, *, after: str | None = None
    ) -> AsyncIterator["Stream"]:
        """Give the results of an operation, for as long as the block runs. `after` is in place of its own."""
        stream = Stream(self._queue)
        source = _Source(self._shared, _key(operation, context), stream)
        self._start(source, operation, context.fed(Feed(after, at_end=source.at_end)))
        self._open.add(stream)
        try:
            yield stream
        finally:
            self._open.discard(stream)
            stream.leave()
            await self._settle()

    def _start(self, source: "_Source", operation: Operation, context: Context) -> None:
        task = source.start(self._schema, operation, context)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _settle(self) -> None:
        """Wait for executions that have been told to end: a thread of theirs may still be reading."""
        ending = {task for task in self._tasks if task.cancelling()}
        if ending:
            with anyio.CancelScope(shield=True):
                await asyncio.wait(ending)

    def cut(self) -> None:
        """Deliver no more of anything: the process is about to end."""
        for stream in self._open:
            stream.cut()


class Stream:
    """What one subscriber gets, in order. Iterating raises SlowConsumer when its queue has run full."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._waiting: deque[Message] = deque()
        self._awaited: asyncio.Future[None] | None = None
        """Whoever waits for the next message. A bare future: with an event, waking costs half as much again."""
        self._has_room = asyncio.Event()
        self._has_ended = False
        self._is_slow = False
        self._source: _Source | None = None
        self._floor = -1
        """Up to here everything has been delivered by an earlier source."""

    def __aiter__(self) -> "Stream":
        return self

    async def __anext__(self) -> Message:
        """Return the next message."""
        while not self._waiting:
            if self._is_slow:
                raise SlowConsumer(self._limit)
            if self._has_ended:
                raise StopAsyncIteration
            self._awaited = asyncio.get_running_loop().create_future()
            await self._awaited
        self._has_room.set()
        return self._waiting.popleft()

    def join(self, source: "_Source", floor: int) -> None:
        """Be served by `source` with what lies beyond `floor`."""
        self._source, self._floor = source, floor

    def leave(self) -> None:
        """Want no more."""
        source, self._source = self._source, None
        if source is not None:
            source.lose(self)

    def cut(self) -> None:
        """End, without a word that this is the end of the operation: the client may go on elsewhere."""
        self._has_ended = True
        self._wake()
        self.leave()

    async def accept(self, message: Message) -> None:
        """Take a message once there is room for it."""
        while len(self._waiting) >= _AHEAD:
            self._has_room.clear()
            await self._has_room.wait()
        self._put(message)

    def offer(self, message: Message) -> None:
        """Take a message that is new. Where there is no room, that was the last."""
        if message.cursor is not None and message.cursor <= self._floor:
            return
        if len(self._waiting) < self._limit:
            self._put(message)
            return
        self._is_slow = True
        self._waiting.clear()
        self._wake()
        self.leave()

    def _put(self, message: Message) -> None:
        self._waiting.append(message)
        self._has_ended = message.is_last
        self._wake()

    def _wake(self) -> None:
        awaited, self._awaited = self._awaited, None
        if awaited is not None and not awaited.done():
            awaited.set_result(None)


@dataclass(eq=False, slots=True)
class _Source:
    """One execution, and those it serves."""

    shared: dict[object, "_Source"]
    key: object
    first: Stream
    readers: set[Stream] = field(default_factory=set)
    position: int | None = None
    """How far it has come, once it serves whoever comes. None: it serves one alone."""
    task: asyncio.Task[None] | None = None

    def start(self, schema: strawberry.Schema, operation: Operation, context: Context) -> asyncio.Task[None]:
        self._take(self.first, -1)
        self.task = asyncio.create_task(self._run(schema, operation, context))
        return self.task

    def at_end(self, position: int) -> bool:
        """Decide at the end of the log who serves its reader from here on; False when another does."""
        if self.position is None:
            other = self.shared.setdefault(self.key, self)
            if other is not self:
                if (other.position or 0) > position:
                    return True  # There is more to read, up to where the other is.
                other._take(self.readers.pop(), position)
                return False
        self.position = position
        return True

    def lose(self, reader: Stream) -> None:
        """Serve a reader no more. Without any there is nothing left to do."""
        self.readers.discard(reader)
        if not self.readers:
            self._retire()
            if self.task is not None:
                self.task.cancel()

    def _take(self, reader: Stream, floor: int) -> None:
        self.readers.add(reader)
        reader.join(self, floor)

    def _retire(self) -> None:
        if self.shared.get(self.key) is self:
            del self.shared[self.key]

    async def _run(self, schema: strawberry.Schema, operation: Operation, context: Context) -> None:
        try:
            results = await schema.stream(
                operation.query,
                variable_values=operation.variables,
                context_value=context,
                operation_name=operation.name,
            )
            async with aclosing(results):
                async for result in results:
                    message = _message(result, context)
                    await self._hand_out(message)
                    if message.is_last:
                        return
            await self._hand_out(_COMPLETE)
        except Exception as error:
            await self._hand_out(_broken(error, context))
        finally:
            self._retire()

    async def _hand_out(self, message: Message) -> None:
        if self.position is None:
            for reader in list(self.readers):
                await reader.accept(message)
            return
        if message.cursor is not None:
            self.position = message.cursor
        for reader in list(self.readers):
            reader.offer(message)
        # What is read together comes without a pause, and would fill the queue of the fastest.
        await asyncio.sleep(0)


def _key(operation: Operation, context: Context) -> object:
    """Return what is equal for operations that one execution can serve, wherever each begins."""
    variables = dict(operation.variables or {})
    variables.pop(position_variable(operation) or "", None)
    known = orjson.dumps(variables, option=orjson.OPT_SORT_KEYS)
    return operation.query, operation.name, known, context.viewer


def _message(result: Any, context: Context) -> Message:
    if isinstance(result, PreExecutionError):
        return Message(Kind.ERROR, orjson.dumps(_formatted(result.errors or [])).decode())
    if not isinstance(result, ExecutionResult):
        refused = GraphQLError("results in parts, as by @defer, are not delivered")
        return Message(Kind.ERROR, orjson.dumps(_formatted([refused])).decode())
    errors = result.errors or []
    if is_refused(result):
        # A variable, or a cursor, was none.
        return Message(Kind.ERROR, orjson.dumps(_formatted(errors)).decode())
    body: dict[str, Any] = {"data": result.data}
    if errors:
        body["errors"] = _formatted(errors)
    if result.extensions:
        body["extensions"] = result.extensions
    return Message(Kind.NEXT, orjson.dumps(body).decode(), context.feed.cursor)


def _broken(error: Exception, context: Context) -> Message:
    shown = show_errors(
        [GraphQLError(str(error), original_error=error)], request_id=context.request_id, executed=True
    )
    return Message(Kind.ERROR, orjson.dumps(_formatted(shown)).decode())


def _formatted(errors: list[GraphQLError]) -> list[Mapping[str, Any]]:
    return [dict(error.formatted) for error in errors]
