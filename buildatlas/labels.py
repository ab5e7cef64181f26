"""Labels as they are typed."""

from collections.abc import Sequence

from buildatlas.errors import WrongUse


def parse_labels(texts: Sequence[str]) -> list[dict[str, str]]:
    """Read such as `arch=arm64` into LabelInputs. Raises WrongUse."""
    labels: dict[str, str] = {}
    for text in texts:
        key, is_there, value = text.partition("=")
        if not (key and is_there):
            raise WrongUse(f"{text!r} is not a label: write KEY=VALUE")
        if key in labels:
            raise WrongUse(f"the label {key} is given twice: a key has one value")
        labels[key] = value
    return [{"key": key, "value": value} for key, value in labels.items()]
