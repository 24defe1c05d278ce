"""Which dates a milestone or an anchor may have: those that people can be reminded of."""

from contracts.vocabulary import PLANNABLE_YEARS, Span
from services.registry.rules.errors import Invalid


def check_plannable(span: Span, field: str, subject: str = "The date") -> None:
    """Raise `Invalid`, about this field of the request, for days outside of `PLANNABLE_YEARS`."""
    if not span.is_plannable:
        first, last = PLANNABLE_YEARS[0], PLANNABLE_YEARS[-1]
        raise Invalid(f"{subject} lies outside of the years {first} to {last}: {span.edtf}", field=field)
