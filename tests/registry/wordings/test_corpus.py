"""The golden corpus: time expressions of real statements and laws, read as a careful reader reads them."""

from collections import Counter
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from contracts.vocabulary import LanguageTag
from services.registry.rules.edtf_dates import span_of
from services.registry.wordings import Modality, Wording, read
from services.registry.wordings.reading import LEXICONS

FOLDER = Path(__file__).parent / "corpus"
LEAST_OF_A_LANGUAGE = 50
LEAST_SEEN = 150

Row = dict[str, Any]


@cache
def rows(language: LanguageTag) -> list[Row]:
    return list(yaml.safe_load((FOLDER / f"{language}.yaml").read_text(encoding="utf-8")))


ROWS = [(language, row) for language in LEXICONS for row in rows(language)]


def seen(wording: Wording) -> Row:
    """A reading as the corpus writes it down."""
    anchor = None
    if wording.anchor:
        offset = wording.anchor.offset
        # A summit of a series needs no name; what any other is called is the words' own business.
        name = wording.anchor.name if wording.anchor.kind == "named" else None
        anchor = [wording.anchor.kind, name, *([offset.direction, offset.count, offset.unit] if offset else [])]
    return {
        "edtf": wording.edtf,
        "modality": str(wording.modality),
        "anchor": anchor,
        "months": wording.review_months,
        "settled": wording.settled,
    }


def misread(language: LanguageTag, row: Row) -> str | None:
    """How an expression is read otherwise than its row says; None where it is read so."""
    expected = {
        "edtf": row.get("edtf"),
        "modality": row["modality"],
        "anchor": row.get("anchor"),
        "months": row.get("months"),
        "settled": row.get("settled", True),
    }
    wording = read(row["words"], language, row["made_on"])
    is_right = (
        seen(wording) == expected
        and wording.span == span_of(wording.edtf)
        and ("rule" not in row or row["rule"] in wording.rules)
    )
    return None if is_right else f"{row['words']} ({row['made_on']}): {seen(wording)}, not {expected}"


@pytest.mark.parametrize("language", LEXICONS)
def test_an_expression_is_read_as_a_careful_reader_reads_it(language: LanguageTag) -> None:
    """One test for each language, which lists every row that is misread: a thousand tests take a minute to start."""
    assert [found for row in rows(language) if (found := misread(language, row))] == []


@pytest.mark.parametrize("language", LEXICONS)
def test_the_corpus_is_large_and_says_where_each_expression_stands(language: LanguageTag) -> None:
    found = rows(language)

    assert len(found) >= LEAST_OF_A_LANGUAGE
    assert all(row["source"] and isinstance(row["made_on"], date) for row in found)
    assert max(Counter((row["words"], row["made_on"]) for row in found).values()) == 1
    kinds = {row["modality"] for row in found}
    assert kinds >= {str(one) for one in Modality if one is not Modality.OVER}


def test_many_were_seen_in_public_statements_and_half_of_them_set_no_deadline() -> None:
    found = [row for _, row in ROWS if "address" in row]

    assert len(found) >= LEAST_SEEN
    assert 2 * sum(row["modality"] == "none" for row in found) >= len(found)
    assert {row["seen"] for row in found} == {"tuned", "held-out"}
    assert all(row["address"].startswith("http") and len(row["words"].split()) <= 25 for row in found)
