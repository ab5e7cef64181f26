"""Arguments that several fields take, with their descriptions."""

from typing import Annotated

from strawberry import argument

from schema.enums import DependencyKind, GraphScope

First = Annotated[
    int | None, argument(description="At most this many, from the start: 1 to 1000, default 50.")
]
After = Annotated[str | None, argument(description="Only what comes after this cursor.")]
Last = Annotated[
    int | None, argument(description="At most this many, from the end. Not together with `first`.")
]
Before = Annotated[str | None, argument(description="Only what comes before this cursor.")]
Kinds = Annotated[
    list[DependencyKind] | None, argument(description="Only dependencies of these kinds. Null: all kinds.")
]
Scope = Annotated[GraphScope, argument(description="Which versions make the graph.")]
IncludeOptional = Annotated[bool, argument(description="Also follow dependencies marked optional.")]
Transitive = Annotated[bool, argument(description="Not only direct ones.")]
