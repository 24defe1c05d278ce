"""Which dates a milestone or an anchor may have: those that people can be reminded of."""

from contracts.vocabulary import PLANNABLE_YEARS, Span
from services.plumbing.sentences import Sentence
from services.registry.rules.errors import Invalid, at


def check_plannable(span: Span, subject: Sentence, *place: str | int) -> None:
    """Raise `Invalid`, about this place in the request, for days outside of `PLANNABLE_YEARS`."""
    if not span.is_plannable:
        first, last = PLANNABLE_YEARS[0], PLANNABLE_YEARS[-1]
        raise Invalid(
            Sentence(
                "%(subject)s lies outside of the years %(first)s to %(last)s: %(edtf)s",
                subject=subject,
                first=first,
                last=last,
                edtf=span.edtf,
            ),
            **at(*place),
        )
