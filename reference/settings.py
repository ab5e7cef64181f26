"""The page of settings: their variables, their defaults, what each of them does."""

import ast
import inspect
from collections.abc import Iterator, Mapping
from dataclasses import Field, dataclass, fields
from types import UnionType
from typing import Any, Final, get_args, get_type_hints

from buildatlas.settings import Range, Settings, variable
from reference.markdown import code, page, paragraph, plain, sentence, table

_INTRODUCTION: Final = (
    "Each is an environment variable, read when a command starts. `buildatlas serve` takes the most used of them as "
    "options as well, which go before; see the [command line](commands.md#serve). A value that cannot be used is refused "
    "at the start, by the name of its variable."
)


@dataclass(frozen=True, slots=True)
class Setting:
    """What is told of one setting."""

    variable: str
    form: str
    default: str
    text: str
    """Empty where there is none."""


def the_settings() -> Iterator[Setting]:
    """Yield the settings in the order of their definition."""
    texts = texts_of(inspect.getsource(Settings))
    hints = get_type_hints(Settings, include_extras=True)
    for field in fields(Settings):
        text = texts.get(field.name, "").partition(": ")[2]
        yield Setting(variable(field.name), _form(hints[field.name]), _default(field), text)


def texts_of(source: str) -> Mapping[str, str]:
    """Return the text behind each field of the class in `source`, by the name of the field."""
    (found,) = ast.parse(source).body
    assert isinstance(found, ast.ClassDef)
    texts = {}
    for field, text in zip(found.body, found.body[1:], strict=False):
        match field, text:
            case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(said))):
                texts[name] = said
    return texts


def undocumented() -> Iterator[str]:
    """Yield the variables of which nothing is told."""
    return (setting.variable for setting in the_settings() if not setting.text)


def settings_page() -> str:
    """Return the page."""
    rows = (
        [code(setting.variable), setting.form, setting.default, plain(sentence(setting.text))]
        for setting in the_settings()
    )
    return page("Settings", paragraph(_INTRODUCTION), table(["variable", "form", "default", "what"], rows))


def _form(hint: Any) -> str:
    spans = [each for each in getattr(hint, "__metadata__", ()) if isinstance(each, Range)]
    if spans:
        return _span(spans[0])
    kind = next(each for each in get_args(hint) or (hint,)) if isinstance(hint, UnionType) else hint
    return {bool: "yes or no", str: "text"}.get(kind, "texts, separated by commas")


def _span(span: Range) -> str:
    return f"{span.least:,} or more" if span.most is None else f"{span.least:,} to {span.most:,}"


def _default(field: "Field[Any]") -> str:
    match field.default:
        case True | False as switch:
            return "yes" if switch else "no"
        case int(number):
            return f"{number:,}" if number >= 10_000 else str(number)
        case str(text) if text:
            return code(text)
    return _WITHOUT.get(field.name, "")


# Of a setting that has no default, but is worked out.
_WITHOUT: Final = {"database_url": "a file in the user's data directory"}
