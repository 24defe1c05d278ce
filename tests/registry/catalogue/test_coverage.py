"""Nothing that the statement undertakes is left out: every sentence, verb and year is quoted or excused."""

import re
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise

from contracts.vocabulary import Strength
from services.registry.catalogue.contents import Commitment
from tests.registry.catalogue.material import BODY, CATALOGUE, SENTENCES, TEXT, made_in

FACT = "tells what was, or is"
NEED = "names a need, not who does what about it"
VIEW = "a view or a recognition"
VISION = "a vision or a priority: no act is promised"
ABILITY = "says what can be done, not that it will be"
DUTY = "states a duty that each party has anyway"
SCENE_SETTING = {
    "We, the leaders of North America, met today": FACT,
    "We share a vision of a North America": VISION,
    "We are closely bound by history": VIEW,
    "Together, we are an economic powerhouse": FACT,
    "Home to nearly five hundred million people": FACT,
    "Since signing our first trilateral trade agreement": FACT,
    "We are more than just trading partners": FACT,
    "This position of strength has allowed us": FACT,
    "Our highest priority today is": VISION,
    "Our vision is to support sustainable growth": VISION,
    "Our world has been rocked": FACT,
    "During the pandemic, the opioid crisis worsened": FACT,
    "In the United States, we have surpassed": FACT,
    "This impact is also seen in Canada": FACT,
    "In addition, we are experiencing": FACT,
    "For example, hundreds of thousands of firearms": FACT,
    "To address these issues, and protect our communities": NEED,
    "North America needs resilient": NEED,
    "For our economies to remain competitive": NEED,
    "Good regulatory practices": VISION,
    "We can undergird sustainable economic growth": ABILITY,
    "In North America, we have seen": FACT,
    "Wildfires have ravaged": FACT,
    "Climate change also drives": FACT,
    "We recognize the importance of global efforts": VIEW,
    "Climate change poses a threat": FACT,
    "But it also presents a tremendous opportunity": ABILITY,
    "The complex factors causing": NEED,
    "We recognize the social, health, economic": VIEW,
    "This requires a coordinated regional response": NEED,
    "The United States, Canada, and Mexico each have a responsibility": DUTY,
    "Our vision is to strengthen and expand access": VISION,
    "This includes opportunities to access": VISION,
    "We can help people find safety": ABILITY,
    "Inclusion and equal opportunity are essential": VIEW,
    "The diversity of North America’s population": FACT,
    "Converging economic, health, and climate crises": FACT,
    "COVID-19’s economic impact": FACT,
    "It has deepened the disparities": FACT,
    "Our diversity is our strength": VIEW,
    "In our aim to fight against impunity": VIEW,
}
# Undertaking words in the sentences of a commitment that undertake nothing there.
IDLE_WORDS = {
    "vision of a world safe and secure": VISION,
    "support of this goal, the three countries": "points back",
    "goal, the three countries": "points back",
    "vision for climate action": FACT,
    "affirm our values and advance": "what a summit is for",
    "stand strong, and look": FACT,
}
UNDERTAKING_WORDS = re.compile(
    r"\b(will|commit\w*|pledg\w*|intend\w*|intent|plan|reaffirm|affirm|support|invite|encourage|look\w* (?:to|forward)"
    r"|seek|determined|united|stand|reiterated|goal|need to|vision|aim|joined|considering|taking)\b"
)
# Every year that the statement names and that is no target, with the words around it.
YEARS_WITHOUT_TARGET = {
    "for the first time since 2016": "a past meeting",
    "trade agreement in 1994": "a past signature",
    "trade agreement in the world in 2020": "a past signature",
    "from April 2020 to": "a span of statistics",
    "March 2021, representing": "a span of statistics",
    "the 2020s are a decisive decade": "a view of the decade; no act is dated by it",
    "not seen since the 1980s": "a comparison",
    "NALS 2022": "a name; the date is said by 'next year'",
}


class TestCoverage:
    def test_every_sentence_is_an_undertaking_or_set_aside_with_a_reason(self) -> None:
        """
        No sentence is overlooked, and none is both read as an undertaking and set aside.
        """
        without = [TEXT[start:end] for start, end in SENTENCES if not made_in(start, end)]

        assert list(SCENE_SETTING) == [
            opening for sentence in without for opening in SCENE_SETTING if sentence.startswith(opening)
        ]
        assert len(SCENE_SETTING) == len(without)

    def test_the_sentences_are_the_whole_body(self) -> None:
        """
        Nothing but headings lies between two sentences.
        """
        gaps = [TEXT[before[1] : after[0]] for before, after in pairwise(SENTENCES)]

        assert (BODY.start, BODY.stop - 1) == (SENTENCES[0][0], SENTENCES[-1][1])
        assert {" "} == {gap for gap in gaps if "**" not in gap}
        assert len(CATALOGUE.sections) - 1 == sum("**" in gap for gap in gaps)

    def test_every_undertaking_word_is_quoted_a_verb_or_idle(self) -> None:
        """
        Inside a sentence that is read as an undertaking no second one is overlooked.
        """
        idle = set()
        for start, end in SENTENCES:
            for found in UNDERTAKING_WORDS.finditer(TEXT, start, end):
                if not (here := made_in(start, end)) or _is_read(found.start(), here, start, end):
                    continue
                words = next((idle for idle in IDLE_WORDS if TEXT.startswith(idle, found.start())), None)
                assert words, TEXT[found.start() : end]
                idle.add(words)

        assert set(IDLE_WORDS) == idle

    def test_finds_more_than_fifty(self) -> None:
        """
        A careful reader finds more than fifty, in every part, of every strength and theme.
        """
        # The coverage above can't see a deliverable that falls out of a sentence with several: the counts can.
        assert Counter(one.section for one in CATALOGUE.commitments) == {
            "opening": 6,
            "health-security": 11,
            "competitiveness": 16,
            "climate-crisis": 25,
            "migration-and-development": 17,
            "full-potential": 5,
            "road-to-the-summits": 8,
        }
        assert set(Strength) == {one.strength for one in CATALOGUE.commitments}
        assert {one.id for one in CATALOGUE.themes} == {theme for one in CATALOGUE.commitments for theme in one.themes}

    def test_every_named_year_is_a_target_or_set_aside(self) -> None:
        """
        A year of the text is in a milestone's wording or is known to be no target.
        """
        targets, others = set(), set()
        for found in re.finditer(r"\b(?:19|20)\d\d", TEXT[BODY]):
            at = BODY.start + found.start()
            if wording := next((one for one in _worded_with_place() if one[1] <= at < one[2]), None):
                targets.add(wording[0])
            else:
                others.add(next(words for words in YEARS_WITHOUT_TARGET if at in _places(words)))

        assert {"by the end of 2021", "in 2022 and beyond", "by 2023", "by 2030", "by 2050"} == targets
        assert set(YEARS_WITHOUT_TARGET) == others


def _is_read(at: int, commitments: list[Commitment], start: int, end: int) -> bool:
    """Whether the word stands in a quote, or in the verb of one, within its sentence."""
    verbs = [(TEXT.index(one.verb, start, end), one.verb) for one in commitments]
    quoted = any(one.quote.start <= at < one.quote.end for one in commitments)
    return quoted or any(place <= at < place + len(verb) for place, verb in verbs)


def _places(words: str) -> set[int]:
    """All positions that the words cover in the body."""
    return {
        at
        for found in re.finditer(re.escape(words), TEXT)
        if BODY.start <= found.start() < BODY.stop
        for at in range(*found.span())
    }


def _worded_with_place() -> Iterator[tuple[str, int, int]]:
    """Each milestone's wording with its place in its commitment's quote."""
    for commitment in CATALOGUE.commitments:
        for milestone in commitment.milestones:
            start = commitment.quote.start + commitment.quote.text.index(milestone.wording)
            yield milestone.wording, start, start + len(milestone.wording)
