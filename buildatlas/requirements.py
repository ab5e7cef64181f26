"""Requirements as they are typed: a name and, right behind it, a constraint."""

import re
from typing import Final

from graph.constraints import parse_constraint
from graph.names import check_name

# Names hold none of the characters that constraints begin with.
_BOUNDARY: Final = re.compile(r"[\s<>=!~^*]")


def parse_requirement(text: str) -> dict[str, str]:
    """Read such as `Flux>=0.14` or `Flux` into a RequirementInput. Raises InvalidName or InvalidConstraint."""
    text = text.strip()
    boundary = _BOUNDARY.search(text)
    end = boundary.start() if boundary else len(text)
    constraint = text[end:].strip()
    parse_constraint(constraint)
    return {"package": check_name(text[:end]), "constraint": constraint}
