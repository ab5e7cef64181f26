"""The enumerations of alerts."""

from enum import Enum

import strawberry
from strawberry import enum_value


@strawberry.enum(description="How much an alert matters.")
class AlertSeverity(Enum):
    INFO = enum_value("INFO", description="Worth knowing.")
    WARNING = enum_value("WARNING", description="To be looked at soon.")
    CRITICAL = enum_value("CRITICAL", description="To be looked at now.")


@strawberry.enum(description="Life cycle of an alert. What is so again after RESOLVED is another alert.")
class AlertState(Enum):
    PENDING = enum_value("PENDING", description="Its rule holds, but not for `forSeconds` yet.")
    FIRING = enum_value("FIRING", description="Its rule holds, and nobody has acknowledged it.")
    ACKNOWLEDGED = enum_value("ACKNOWLEDGED", description="Somebody looks after it.")
    RESOLVED = enum_value("RESOLVED", description="Its rule has not held for a whole window.")


@strawberry.enum(description="How a value stands to the threshold of a rule that holds.")
class Comparison(Enum):
    GT = enum_value("GT", description="Above it.")
    GTE = enum_value("GTE", description="At or above it.")
    LT = enum_value("LT", description="Below it.")
    LTE = enum_value("LTE", description="At or below it.")
