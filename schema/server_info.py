"""What the server says of itself."""

from datetime import datetime

import strawberry


@strawberry.type(description="What this server runs on, and how much it holds.")
class ServerInfo:
    version: str = strawberry.field(description="Version of Buildatlas.")
    database: str = strawberry.field(description="The database's kind and version.")
    schema_revision: str = strawberry.field(description="Revision of the database's tables.")
    graph_revision: str = strawberry.field(
        description="Position of the newest event that the graph in memory has seen."
    )
    cursor: str = strawberry.field(description="Position of the newest event.")
    started_at: datetime = strawberry.field(description="When this process began to serve.")
    packages: int = strawberry.field(description="How many packages are registered.")
    versions: int = strawberry.field(description="How many versions there are, in whatever state.")
    dependencies: int = strawberry.field(description="How many dependencies those declare.")
