"""Documents that are executed for those who show no token."""

from pathlib import Path

import orjson

from buildatlas.settings import SettingsError, variable


def trusted_documents(path: str | None) -> frozenset[str] | None:
    """Read the documents in a file: the values of a JSON object, as build tools of clients write it, or a list.

    None when no file is named. Raises SettingsError.
    """
    if path is None:
        return None
    name = variable("trusted_documents")
    try:
        found = orjson.loads(Path(path).read_bytes())
    except OSError as error:
        raise SettingsError(name, f"{path}: {error.strerror}") from error
    except orjson.JSONDecodeError as error:
        raise SettingsError(name, f"{path} is not JSON: {error}") from error
    documents = list(found.values()) if isinstance(found, dict) else found
    if not isinstance(documents, list) or not all(isinstance(each, str) for each in documents):
        raise SettingsError(name, f"{path} has to hold a JSON object whose values are documents")
    return frozenset(documents)
