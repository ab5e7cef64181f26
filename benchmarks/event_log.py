"""`python -m benchmarks.event_log`: no event lost or repeated, how many a second, and how soon another process knows.

Sixteen writers in four processes; four readers in processes of their own that are killed and resumed at random. PostgreSQL
keeps its promises here as it does anywhere: its data is flushed at each commit.
"""

from collections.abc import Sequence
from statistics import median, quantiles

from benchmarks.machine import databases
from tests import streams
from tests.streams import Story

_WRITERS = 16
_WRITES = 400
_READERS = 4
_KILLS = 25
_ALONE = 300


def _show_race(name: str, story: Story) -> None:
    delivered = sum(len(each.seqs) for each in story.deliveries)
    kills = sum(each.kills for each in story.deliveries)
    print(
        f"{name}: {story.written:,} events in {len(story.writes):,} writes, {story.written / story.seconds:,.0f} events/s "
        f"and {len(story.writes) / story.seconds:,.0f} writes/s; {len(story.deliveries)} readers killed {kills} times were "
        f"delivered {delivered:,}: lost {story.lost()}, repeated {story.repeated()}, "
        f"out of order {sum(each.seqs != sorted(each.seqs) for each in story.deliveries)}"
    )


def _show_latency(name: str, story: Story) -> None:
    """Show how long after its writer was told of it an event reached another process, one writer at work."""
    (delivery,) = story.deliveries
    arrived = dict(zip(delivery.seqs, delivery.times, strict=True))
    after = [(arrived[write.cursor] - write.ended) * 1e3 for write in story.writes]
    since = [(arrived[write.cursor] - write.began) * 1e3 for write in story.writes]
    print(
        f"{name}: an event is with another process {_spread(since)} ms after its write began, {_spread(after)} ms after the "
        "write was acknowledged"
    )


def _spread(milliseconds: Sequence[float]) -> str:
    return f"{median(milliseconds):.2f} (p99 {quantiles(milliseconds, n=100)[98]:.2f})"


def main() -> None:
    """Run both on both databases."""
    with databases() as urls:
        for name, url in urls.items():
            race = streams.run(url, writers=_WRITERS, writes=_WRITES, readers=_READERS, kills=_KILLS)
            _show_race(name, race)
    with databases() as urls:
        for name, url in urls.items():
            _show_latency(name, streams.run(url, writers=1, writes=_ALONE, readers=1, kills=0))


if __name__ == "__main__":
    main()
