"""The schema as a whole, and its printed form: `python -m schema.root` prints it."""

import sys
from datetime import datetime

import strawberry
from graphql import (
    GraphQLError,
    GraphQLSchema,
    Undefined,
    is_input_object_type,
    is_interface_type,
    is_object_type,
)
from graphql.utilities import build_schema, lexicographic_sort_schema, print_schema
from strawberry.schema.config import StrawberryConfig
from strawberry.types import ExecutionContext

from schema.alert_types import Alert, AlertRule
from schema.builds import Build
from schema.catalogue import Dependency, Package, PackageVersion
from schema.codes import show_errors
from schema.context import Context
from schema.error_groups import ErrorGroup
from schema.mutation import Mutation
from schema.pipeline import Pipeline
from schema.query import Query
from schema.runs import BuildRun
from schema.scalars import DATE_TIME
from schema.subscription import Subscription


class Schema(strawberry.Schema):
    """Strawberry's schema, with our own account of errors."""

    def process_errors(
        self, errors: list[GraphQLError], execution_context: ExecutionContext | None = None
    ) -> None:
        """Put what a client may see in place of each error. Every answer passes here once, on each transport."""
        context = execution_context.context if execution_context else None
        if isinstance(context, Context):
            errors[:] = show_errors(
                errors,
                request_id=context.request_id,
                executed=context.executed,
                hints=context.viewer.is_known or not context.application.exposure.hides_schema,
            )


def _forget_null_defaults(built: GraphQLSchema) -> None:
    """Declare arguments that Python gives the default None without a default: absent and null mean the same."""
    for kind in built.type_map.values():
        if is_input_object_type(kind):
            fields = list(kind.fields.values())
        elif is_object_type(kind) or is_interface_type(kind):
            fields = [argument for field in kind.fields.values() for argument in field.args.values()]
        else:
            continue
        for each in fields:
            if each.default_value is None:
                each.default_value = Undefined


def _build() -> Schema:
    built = Schema(
        query=Query,
        mutation=Mutation,
        subscription=Subscription,
        types=[Package, PackageVersion, Dependency, Build, BuildRun, ErrorGroup, Alert, AlertRule],
        extensions=[Pipeline],
        config=StrawberryConfig(scalar_map={datetime: DATE_TIME}),
    )
    _forget_null_defaults(built._schema)
    return built


# One for the process: building it a second time from the same types fails.
schema = _build()


def printed_schema() -> str:
    """Return the schema as text, sorted, so that it changes only where the schema does."""
    # By way of its text: sorting the served schema itself would break the values of its enumerations.
    return print_schema(lexicographic_sort_schema(build_schema(schema.as_str()))) + "\n"


if __name__ == "__main__":
    sys.stdout.write(printed_schema())
