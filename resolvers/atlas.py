"""What one process holds of the catalogue: its database, the solver's view of it and its graphs."""

from resolvers.catalogue import Registry
from resolvers.loaded_graphs import Graphs
from storage.database import Database


class Atlas:
    """One for each process; every use case that answers from memory takes it. The database stays its opener's."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.registry = Registry(database)
        self.graphs = Graphs(database)
