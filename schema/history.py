"""The history of states: what changed from what to what, when, why and by whom."""

from datetime import datetime
from functools import partial
from typing import Annotated

import msgspec
import strawberry

from schema.context import Context
from schema.enums import BuildConclusion
from schema.fields import field
from schema.identifiers import LARGEST_ROW
from schema.pagination import Page, PageInfo, cursor, page, page_info, window
from schema.subjects import read_subject, subject_id
from storage import history
from storage.rows import TransitionRow


@strawberry.type(
    description="One accepted change of state of a package, version, build or alert. Append-only; written by the "
    "database itself."
)
class StateTransition:
    sequence: str = strawberry.field(
        description="Its number; of one subject's transitions a later one has a larger."
    )
    subject: strawberry.ID = strawberry.field(description="Id of what changed; it may be gone by now.")
    from_: str | None = strawberry.field(
        name="from", description="The state before. Null: this is the first."
    )
    to: str = strawberry.field(description="The state after.")
    conclusion: BuildConclusion | None = strawberry.field(
        description="How it ended, when it is a build that did."
    )
    attempt: int | None = strawberry.field(description="Which try at a build it belongs to.")
    reason: str | None = strawberry.field(description="Why, as whoever did it says.")
    actor: str | None = strawberry.field(description="Who did it, as far as that is known.")
    at: datetime = strawberry.field(description="When it happened.")

    @classmethod
    def of(cls, row: TransitionRow) -> "StateTransition":
        """Show a stored transition."""
        return cls(
            sequence=str(row.id),
            subject=subject_id(row.subject_type, row.subject_id),
            from_=row.origin,
            to=row.target,
            conclusion=None if row.conclusion is None else BuildConclusion[row.conclusion],
            attempt=row.attempt,
            reason=row.reason,
            actor=row.actor,
            at=row.at,
        )


@strawberry.type(description="A transition within a list.")
class StateTransitionEdge:
    node: StateTransition = strawberry.field(description="The transition.")
    cursor: str = strawberry.field(description="Its place in the list.")


@strawberry.type(description="A page of a list of transitions.")
class StateTransitionConnection:
    page: strawberry.Private[Page[TransitionRow]]

    @field("The transitions of this page, with their places.")
    def edges(self) -> list[StateTransitionEdge]:
        return [
            StateTransitionEdge(node=StateTransition.of(row), cursor=_cursor(row)) for row in self.page.rows
        ]

    @field("The transitions of this page.")
    def nodes(self) -> list[StateTransition]:
        return [StateTransition.of(row) for row in self.page.rows]

    @field("Where this page stands in the list.")
    def page_info(self) -> PageInfo:
        ends = (self.page.rows[0], self.page.rows[-1]) if self.page.rows else ()
        return page_info(self.page, [_cursor(row) for row in ends])


class _Place(msgspec.Struct, frozen=True, array_like=True):
    """A place in the list."""

    id: Annotated[int, msgspec.Meta(ge=0, le=LARGEST_ROW)]


def _cursor(row: TransitionRow) -> str:
    return cursor(_Place(row.id))


async def list_transitions(
    context: Context, subject: strawberry.ID | None, first: int | None, after: str | None
) -> StateTransitionConnection:
    """Return a page of the history of an object, there or gone, or with None of everything; oldest first."""
    asked = window(_Place, first=first, after=after)
    subject_type, row = (None, None) if subject is None else read_subject("subject", subject)
    rows = await context.loaders.glance(
        partial(
            history.page,
            subject_type=subject_type,
            subject_id=row,
            after=asked.after.id if asked.after else None,
            limit=asked.size + 1,
        )
    )
    return StateTransitionConnection(page=page(rows, asked))
