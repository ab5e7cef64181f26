"""Which Buildatlas this is."""

from importlib import metadata


def version() -> str:
    """Return the version of this distribution."""
    return metadata.version("buildatlas")
