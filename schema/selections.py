"""What an operation asks for below the field that is being resolved."""

from collections.abc import Iterable

from strawberry.types.nodes import SelectedField, Selection

from schema.context import Info


def selects(info: Info, field: str) -> bool:
    """Whether an object that this field gives is asked for `field`, on whatever type and in whatever fragment."""
    return any(_names(each.selections, field) for each in info.selected_fields)


def _names(selections: Iterable[Selection], field: str) -> bool:
    return any(
        each.name == field if isinstance(each, SelectedField) else _names(each.selections, field)
        for each in selections
    )
