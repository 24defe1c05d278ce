"""What the demo lets happen on which day."""

from datetime import date

from services.cli.demo.calendar import (
    FIRST_DAY,
    LAST_DAY,
    StatusesCome,
    days,
    together,
)
from services.registry.catalogue.happenings import AnchorHeld, AnchorMoves, happenings
from services.registry.catalogue.loading import load

CATALOGUE = load()
ANCHORS = [
    (day, happening)
    for day in days(FIRST_DAY, LAST_DAY)
    for happening in happenings(CATALOGUE, day)
    if isinstance(happening, AnchorMoves | AnchorHeld)
]


def test_anchors_move_and_are_held_on_the_days_on_which_it_became_known() -> None:
    """
    What was dated and held by the same news is said at once; a move alone is one that the day had not yet come for.
    """
    told = [(str(day), one.anchor_id, isinstance(one, AnchorHeld)) for day, one in ANCHORS]

    assert told == [
        ("2021-12-23", "summit-for-democracy-2021", True),
        ("2022-01-18", "summit-of-the-americas-2022", False),
        ("2022-01-20", "summit-of-the-americas-2022", False),
        ("2022-02-11", "north-american-drug-dialogue", True),
        ("2022-06-10", "summit-of-the-americas-2022", True),
        ("2022-11-08", "north-american-drug-dialogue", True),
        ("2023-01-10", "nals-2022", True),
    ]


def test_the_demo_ends_with_no_anchor_whose_outcome_is_unsaid() -> None:
    """
    The last thing that is heard of each anchor is that it was held.
    """
    last = {one.anchor_id: one for _, one in ANCHORS}

    assert set(last) == {anchor.id for anchor in CATALOGUE.anchors}
    assert all(isinstance(one, AnchorHeld) for one in last.values())


def test_news_of_days_that_the_anchor_has_already_move_nothing() -> None:
    """
    The days are said where the news brings them, and left to the register where it has them.
    """
    said = {str(day): one.edtf for day, one in ANCHORS if isinstance(one, AnchorHeld)}

    assert said == {
        "2021-12-23": None,
        "2022-02-11": "2022-02-10",
        "2022-06-10": None,
        "2022-11-08": "2022-11-07/2022-11-08",
        "2023-01-10": "2023-01-10",
    }


def test_what_one_source_tells_of_several_is_reported_at_once() -> None:
    found = together(happenings(CATALOGUE, date(2022, 2, 11)))

    assert [type(one).__name__ for one in found] == ["AnchorHeld", "StatusesCome"]
    assert isinstance(found[1], StatusesCome)
    assert [one.party for one in found[1].reports] == ["CA", "MX", "US"]
    _, several, _ = together(happenings(CATALOGUE, date(2023, 1, 10)))
    assert isinstance(several, StatusesCome)
    assert [one.party for one in several.reports] == ["CA", "US"], "Mexico reports for itself, over Kafka"
