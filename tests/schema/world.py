"""A small world to ask questions of: a database, and the schema over it."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from strawberry.types import ExecutionResult

from resolvers.atlas import Atlas
from resolvers.drafts import DependencyRequest, PublishRequest
from resolvers.versions import publish
from schema.context import Application, Context
from schema.limits import Limits
from schema.pulse import Pulse
from schema.root import schema
from storage.database import Database

NOW = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass
class World:
    """A catalogue, and every statement that was run on it."""

    database: Database
    statements: list[str] = field(default_factory=list)
    atlas: Atlas = field(init=False)
    limits: Limits = field(default_factory=Limits)

    def __post_init__(self) -> None:
        self.atlas = Atlas(self.database)

    @classmethod
    def at(cls, url: str) -> "World":
        statements: list[str] = []
        return cls(Database.open(url, trace=statements.append), statements)

    def publish(self, package: str, version: str, *needs: str) -> None:
        """Publish a version; each need is `name constraint`."""
        parts = [need.partition(" ") for need in needs]
        dependencies = tuple(DependencyRequest(name, constraint) for name, _, constraint in parts)
        publish(self.database, PublishRequest(package, version, dependencies), now=NOW)

    def context(self) -> Context:
        application = Application(self.atlas, Pulse(self.database.watch), "0.0", NOW, limits=self.limits)
        return Context(application, "request-1")

    def run(self, query: str, **variables: object) -> ExecutionResult:
        """Return the whole result of one operation."""
        return asyncio.run(schema.execute(query, variable_values=variables, context_value=self.context()))

    def ask(self, query: str, **variables: object) -> Mapping[str, Any]:
        """Return the data of an operation that must succeed."""
        result = self.run(query, **variables)
        assert result.errors is None, result.errors
        assert result.data is not None
        return result.data

    def refusal(self, query: str, **variables: object) -> tuple[str, Mapping[str, Any]]:
        """Return the message and the extensions of the one error of an operation."""
        errors = self.run(query, **variables).errors
        assert errors is not None
        assert len(errors) == 1, errors
        return errors[0].message, errors[0].extensions or {}

    def code(self, query: str, **variables: object) -> str:
        """Return the code of the one error of an operation."""
        return str(self.refusal(query, **variables)[1]["code"])

    def statements_of(self, query: str, **variables: object) -> Sequence[str]:
        """Return the statements that one operation runs, without those that begin and end transactions."""
        self.statements.clear()
        self.ask(query, **variables)
        return self.reads()

    def reads(self) -> Sequence[str]:
        """Return the statements so far that read, but for those that ask whether an idle connection is alive."""
        return [
            text for text in self.statements if text.split()[0] in {"SELECT", "WITH"} and text != "SELECT 1"
        ]

    @asynccontextmanager
    async def live(self) -> AsyncIterator[Context]:
        """Give a context whose pulse beats."""
        context = self.context()
        async with context.application.pulse.beating():
            yield context
