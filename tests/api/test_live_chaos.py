"""A subscriber that resumes wherever it can is delivered each event once, whatever is cut off or killed."""

from tests.live_chaos import Chaos, Findings, Plan


def test_subscribers_that_resume_are_delivered_all_events_once_and_in_order(database_url: str) -> None:
    plan = Plan(cuts=40, kills=2, subscribers=8, streams=2, life=0.8, pause=0.5)
    chaos = Chaos(database_url, plan)

    found = chaos.run()

    assert chaos.cuts >= plan.cuts
    assert chaos.acknowledged > 0
    assert found == Findings(
        events=found.events,
        delivered=found.events * 10,
        lost=0,
        repeated=0,
        out_of_order=0,
        false=0,
    )
