"""A catalogue's folder is read, and whatever does not fit together is refused."""

import hashlib
import shutil
from datetime import date
from pathlib import Path

import pytest
import yaml
from pydantic import ValidationError

from services.registry.catalogue.contents import Catalogue
from services.registry.catalogue.loading import TextChanged, load
from services.registry.catalogue.quotes import QuoteAmbiguous, QuoteNotFound
from tests.registry.catalogue.material import CATALOGUE, FOLDER, PUBLISHED, SHA256

MILESTONE = {"id": "m", "wording": "March 2031", "edtf": "2031-03", "reading": "by", "title": {"en": "One"}}
ORGANISATION = {"code": "org-other", "name": {"en": "Other"}, "zone": "Europe/Brussels"}


class TestLoading:
    @pytest.fixture(name="folder")
    def _folder(self, tmp_path: Path) -> Path:
        """Another statement, of one sentence."""
        text = b"---\ndate: x\n---\n**Water**\n\nWe will meet\xc2\xa0\nin March 2031.\n"
        words = {"en": "One", "es": "Uno", "fr": "Un"}
        self._write(tmp_path, "commitments", [
            {"id": "other-meet", "quote": "We will meet in March 2031.", "verb": "will", "strength": "commit",
             "section": "water", "themes": ["nature"], "title": words, "summary": words,
             "milestones": [{"id": "other-meet-day", "wording": "in March 2031", "edtf": "2031-03",
                             "reading": "during", "title": words}]},
        ])  # fmt: skip
        self._write(tmp_path, "statement", {
            "statement": {"id": "other", "title": words, "made_on": date(2030, 1, 1), "parties": ["US", "CA"],
                          "sha256": hashlib.sha256(text).hexdigest(), "text": "other.txt"},
            "sections": [{"id": "water", "heading": "Water", "title": words}],
            "themes": [{"id": "nature", "title": words}],
        })  # fmt: skip
        self._write(tmp_path, "anchors", [])
        self._write(tmp_path, "chronicle", [])
        (tmp_path / "other.txt").write_bytes(text)
        return tmp_path

    @staticmethod
    def _write(folder: Path, name: str, data: object) -> None:
        (folder / f"{name}.yaml").write_text(yaml.safe_dump(data), encoding="utf-8")

    def _change(self, folder: Path, **fields: object) -> None:
        rows = yaml.safe_load((folder / "commitments.yaml").read_text(encoding="utf-8"))
        self._write(folder, "commitments", [{**rows[0], **fields}])

    def test_a_milestone_may_lie_so_far_from_its_anchor(self, folder: Path) -> None:
        """
        Its days come from the anchor's by the offset; only what happens on the event has the event's time.
        """
        words = {"en": "One", "es": "Uno", "fr": "Un"}
        anchor = {"id": "summit", "title": words, "edtf": "2031-03-10", "local_time": "09:30", "source": {"text": "s"}}
        self._write(folder, "anchors", [anchor])
        facts = {"wording": "March 2031", "title": words, "anchor_id": "summit"}
        after = {"direction": "after", "count": 2, "unit": "weeks"}
        self._change(
            folder,
            milestones=[{"id": "m", "reading": "on", **facts}, {"id": "n", "reading": "by", "offset": after, **facts}],
        )

        event, follower = load(folder).commitments[0].milestones

        assert (event.span.edtf, event.local_time, event.offset) == ("2031-03-10", "09:30", None)
        assert (follower.span.edtf, follower.local_time) == ("2031-03-24", None)

    def test_an_event_is_counted_where_it_takes_place(self, folder: Path) -> None:
        """
        Where nothing is said, with the last of the parties; what is no zone is refused.
        """
        anchor = {"id": "summit", "title": {"en": "One"}, "edtf": "2031-03-10", "source": {"text": "s"}}
        for row, zone in ((anchor, "America/New_York"), ({**anchor, "zone": "Africa/Nairobi"}, "Africa/Nairobi")):
            self._write(folder, "anchors", [row])
            assert load(folder).anchors[0].zone == zone

        self._write(folder, "anchors", [{**anchor, "zone": "Africa/Nowhere"}])
        with pytest.raises(ValidationError, match="no zone"):
            load(folder)

    def test_an_outcome_is_not_known_before_its_entry(self, folder: Path) -> None:
        """
        A row can say later what came of an event, and not earlier than it says anything.
        """
        words = {"en": "One", "es": "Uno", "fr": "Un"}
        anchor = {"id": "summit", "title": words, "edtf": "2031-03-10", "source": {"text": "s"}}
        held = {"outcome": "held", "known_on": date(2031, 3, 11)}
        entry = {"fact": "f", "text": words, "source": {"text": "s"}, "anchor_id": "summit", "outcome": held}
        self._write(folder, "anchors", [anchor])
        self._write(folder, "chronicle", [{"known_on": date(2031, 3, 11), **entry}])
        assert load(folder).chronicle[0].outcome

        self._write(folder, "chronicle", [{"known_on": date(2031, 3, 12), **entry}])
        with pytest.raises(ValidationError, match="known with its entry, or later"):
            load(folder)

    def test_another_statement_is_another_folder(self, folder: Path) -> None:
        """
        Nothing but the folder's own files is needed to import another statement.
        """
        one = load(folder).commitments[0]

        assert one.parties == ("US", "CA")
        assert (date(2031, 3, 1), date(2031, 3, 31)) == (one.milestones[0].span.earliest, one.milestones[0].span.latest)
        assert one.milestones[0].zone == "America/New_York"

    def test_is_repeatable(self) -> None:
        """
        Loading twice gives the same catalogue, and it survives JSON.
        """
        assert load() == CATALOGUE == Catalogue.model_validate(CATALOGUE.model_dump(mode="json"), strict=False)

    def test_refuses_a_text_that_was_touched(self, tmp_path: Path) -> None:
        """
        One changed byte, even a line end, is another text.
        """
        folder = shutil.copytree(FOLDER, tmp_path / "copy")
        (folder / "joint-statement-2021-11-18.txt").write_bytes(PUBLISHED.replace(b"\n", b"\r\n"))

        with pytest.raises(TextChanged, match=SHA256):
            load(folder)

    def test_refuses_words_that_are_not_there(self, folder: Path) -> None:
        """
        A quote that isn't verbatim is refused, and the error shows it.
        """
        self._change(folder, quote="We shall meet")

        with pytest.raises(QuoteNotFound, match="We shall meet"):
            load(folder)

    def test_refuses_words_that_are_there_twice(self, folder: Path) -> None:
        """
        A quote without one position is refused.
        """
        self._change(folder, quote="e")

        with pytest.raises(QuoteAmbiguous):
            load(folder)

    @pytest.mark.parametrize(
        "fields",
        [
            {"themes": ["unheard-of"]},
            {"section": "unheard-of"},
            {"strength": "promise"},
            {"parties": []},
            {"parties": ["BR"]},
            {"parties": ["XX"]},
            {"parties": ["org-other"]},
            {"title": {"es": "Uno"}},
            {"summary": {"es": "Uno", "en-GB": "One"}},
            {"ministry": "unheard-of"},
            {"milestones": [{"id": "m", "wording": "w", "reading": "on", "anchor_id": "unheard-of"}]},
            {"milestones": [{"id": "m", "wording": "w", "reading": "on", "edtf": "soon"}]},
            {"parties": ["US"], "milestones": [MILESTONE | {"parties": ["CA"]}]},
            {"milestones": [MILESTONE | {"title": {"es": "Uno"}}]},
            {"milestones": [{"id": "m", "wording": "w", "reading": "on"}]},
        ],
    )
    def test_refuses_what_does_not_fit(self, folder: Path, fields: dict[str, object]) -> None:
        """
        Unknown names, fields and dates are refused rather than passed on.
        """
        self._change(folder, **fields)

        with pytest.raises(ValueError):  # the catalogue's own errors and pydantic's are all of this kind
            load(folder)

    def _change_statement(self, folder: Path, **fields: object) -> None:
        head = yaml.safe_load((folder / "statement.yaml").read_text(encoding="utf-8"))
        self._write(folder, "statement", {**head, "statement": {**head["statement"], **fields}})

    def test_an_organisation_is_told_of_with_its_seat(self, folder: Path) -> None:
        """
        In the order of the parties, and a deadline is counted there too.
        """
        self._change_statement(folder, parties=["CA", "org-other"], organisations=[ORGANISATION])

        catalogue = load(folder)

        (one,) = catalogue.commitments
        assert one.milestones[0].zone == "America/Toronto"
        assert [told.code for told in catalogue.brief(one).organisations] == ["org-other"]

    @pytest.mark.parametrize(
        "fields",
        [
            {"parties": ["CA", "org-other"]},
            {"organisations": [ORGANISATION]},
            {"parties": ["CA", "org-other"], "organisations": [ORGANISATION, ORGANISATION]},
            {"parties": ["CA", "org-other"], "organisations": [ORGANISATION | {"code": "org-another"}]},
            {"parties": ["CA", "org-other"], "organisations": [ORGANISATION | {"zone": "Europe/Nowhere"}]},
            {"parties": ["CA", "org-other"], "organisations": [ORGANISATION | {"name": {"fr": "Autre"}}]},
            {"parties": ["CA", "XX"]},
            {"language": "pt"},
            {"language": "pt", "title": {"pt": "Um"}},
        ],
    )
    def test_refuses_a_statement_that_does_not_say_by_whom_and_in_which_language(
        self, folder: Path, fields: dict[str, object]
    ) -> None:
        """
        Each organisation is told of, each country is one, and the words are there in the statement's own language.
        """
        self._change_statement(folder, **fields)

        with pytest.raises(ValueError):  # the register's own refusals and pydantic's are all of this kind
            load(folder)

    def test_refuses_an_id_given_twice(self, folder: Path) -> None:
        """
        Ids are unique.
        """
        rows = yaml.safe_load((folder / "commitments.yaml").read_text(encoding="utf-8"))
        self._write(folder, "commitments", rows * 2)

        with pytest.raises(ValidationError, match="not unique"):
            load(folder)

    @pytest.mark.parametrize(
        "row",
        [
            {},
            {"commitment_id": "other-meet", "edtf": "2031"},
            {"commitment_id": "other-meet", "outcome": {"outcome": "held", "known_on": date(2030, 2, 1)}},
            {"anchor_id": "unheard-of"},
            {"commitment_id": "unheard-of"},
        ],
    )
    def test_refuses_an_entry_about_nothing(self, folder: Path, row: dict[str, object]) -> None:
        """
        An entry is about an anchor or a commitment of the catalogue, and only anchors move.
        """
        words = {"en": "One", "es": "Uno", "fr": "Un"}
        entry = {"known_on": date(2030, 2, 1), "fact": "f", "text": words, "source": {"text": "s"}, **row}
        self._write(folder, "chronicle", [entry])

        with pytest.raises(ValidationError):
            load(folder)
