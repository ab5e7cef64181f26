"""What is true of a build by other rows than its own."""

from typing import Final

from sqlalchemy import ColumnElement, exists, or_, select

from storage.build_tables import BUILDS
from storage.dialects import among
from storage.tables import PACKAGES
from storage.transitions import RELEASING, BuildStatus, PackageStatus

HELD: Final = (PackageStatus.QUARANTINED, PackageStatus.ARCHIVED)
"""What is not built, whoever asks for it."""

_C: Final = BUILDS.c
_P: Final = PACKAGES.c
_N: Final = BUILDS.alias("newer").c

IS_FREE: Final[ColumnElement[bool]] = exists(
    select(_P.id).where(_P.id == _C.package_id, ~among(_P.status, HELD))
)
"""Whether a build is of a package that may be built."""

IS_OVERTAKEN: Final[ColumnElement[bool]] = exists(
    select(_N.id).where(
        _N.version_id == _C.version_id,
        _N.id > _C.id,
        or_(_N.status != BuildStatus.COMPLETED, among(_N.conclusion, RELEASING)),
    )
)
"""Whether a newer build builds its version, or has with success."""
