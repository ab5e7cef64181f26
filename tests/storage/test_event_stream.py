"""Every event once and in order, whoever writes at the same time and however often readers are killed."""

from tests import streams


def test_no_event_is_lost_or_repeated_among_writers_that_race_and_readers_that_die(database_url: str) -> None:
    story = streams.run(database_url, writers=16, writes=25, readers=4, kills=3)

    assert story.lost() == 0
    assert story.repeated() == 0
    for each in story.deliveries:
        assert each.seqs == list(range(1, story.written + 1))
    assert sum(each.kills for each in story.deliveries) > 0


def test_each_writer_is_told_the_place_that_readers_find_its_last_event_at(database_url: str) -> None:
    story = streams.run(database_url, writers=4, writes=10, readers=1, kills=0)

    found = dict(zip(story.deliveries[0].seqs, story.deliveries[0].subjects, strict=True))
    assert [found[write.cursor] for write in story.writes] == [write.subjects[-1] for write in story.writes]
