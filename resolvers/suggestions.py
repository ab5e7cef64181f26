"""What is said of a package that is not there."""

from collections.abc import Iterable

from graph.errors import InvalidName, excerpt
from graph.names import check_name, close_names
from resolvers.errors import NotFound, Path


def unknown_package(name: str, known: Iterable[str], *, path: Path = ()) -> NotFound:
    """Return the refusal of `name`, with those of `known` that are spelled like it.

    Costs one comparison for each known name. What cannot be a name is compared with none, and cut when it is long.
    """
    try:
        check_name(name)
    except InvalidName:
        return NotFound(f"package {excerpt(name)}", path=path)
    return NotFound(f"package {name}", close_names(name, known), path=path)
