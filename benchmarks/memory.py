"""`python -m benchmarks.memory`: how much memory a large question takes above the catalogue that it is asked of.

Counted are the objects of Python at the worst moment of a second solve, the first having read the catalogue.
"""

import tracemalloc
from functools import partial

from benchmarks import families, ours
from benchmarks.cases import Asked, of_family
from benchmarks.limits import BUDGET
from benchmarks.shelf import Shelf

_MEGABYTE = 1_000_000


def peak(asked: Asked) -> int:
    """Return the most bytes that were held at once by solving, the answer included."""
    numbers = asked.world.numbers
    shelf = Shelf(asked.rows)
    ours.answer(shelf, asked.question, numbers, BUDGET)
    tracemalloc.start()
    # Counting every object makes a solve several times slower.
    ours.answer(shelf, asked.question, numbers, 10 * BUDGET)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return most


def main() -> None:
    asked = of_family(partial(families.wide, 10_000, 10, 5, narrow=0))
    print(f"{asked.name}: {peak(asked) / _MEGABYTE:.0f} MB above the catalogue")


if __name__ == "__main__":
    main()
