"""The sentences and codes of what pydantic refuses, so that none of its own, which are English, reaches a caller.

The types are pydantic's, which are part of its interface; those at the end are of our own forms and of the contracts.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from services.plumbing.sentences import Sentence


@dataclass(frozen=True)
class FormFault:
    """What is said of one type of fault: a code, and a message with values that pydantic gives."""

    code: str
    message: Sentence
    values: tuple[str, ...] = field(default=())


OTHER_FAULT = FormFault("malformed", Sentence("This is not of the form that is asked for"))
_TEXT = FormFault("not-text", Sentence("A text is asked for"))
_OBJECT = FormFault("not-object", Sentence("An object with members is asked for"))
_LIST = FormFault("not-list", Sentence("A list is asked for"))
_WHOLE = FormFault("not-whole-number", Sentence("A whole number is asked for"))
_NUMBER = FormFault("not-number", Sentence("A number is asked for"))
_TRUTH = FormFault("not-boolean", Sentence("Either true or false is asked for"))
_DAY = FormFault("not-day", Sentence("A day of the calendar is written YYYY-MM-DD"))
_INSTANT = FormFault("not-instant", Sentence("An instant is written as in RFC 3339, with seconds and an offset"))
_TIME = FormFault("not-time", Sentence("A time of day is written HH:MM"))
_UUID = FormFault("not-uuid", Sentence("A UUID is asked for"))
_ADDRESS = FormFault("not-address", Sentence("The address of a page is asked for"))
_CHOICE = FormFault("not-in-list", Sentence("One of these is asked for: %(expected)s"), ("expected",))

FORM_FAULTS: Mapping[str, FormFault] = {
    "missing": FormFault("missing", Sentence("This is missing")),
    "extra_forbidden": FormFault("unknown-member", Sentence("Nothing of this name is asked for here")),
    "invalid_key": _TEXT,
    "none_required": FormFault("not-null", Sentence("Nothing but null may stand here")),
    "string_type": _TEXT,
    "string_unicode": _TEXT,
    "string_too_short": FormFault(
        "too-short", Sentence("At least %(min_length)s characters are asked for"), ("min_length",)
    ),
    "string_too_long": FormFault(
        "too-long", Sentence("At most %(max_length)s characters may stand here"), ("max_length",)
    ),
    "string_pattern_mismatch": FormFault("pattern", Sentence("It has to match the pattern %(pattern)s"), ("pattern",)),
    "too_short": FormFault("too-few", Sentence("At least %(min_length)s entries are asked for"), ("min_length",)),
    "too_long": FormFault("too-many", Sentence("At most %(max_length)s entries may stand here"), ("max_length",)),
    "enum": _CHOICE,
    "literal_error": _CHOICE,
    "union_tag_invalid": FormFault(
        "not-in-list", Sentence("One of these is asked for: %(expected_tags)s"), ("expected_tags",)
    ),
    "union_tag_not_found": FormFault("missing", Sentence("This is missing: %(discriminator)s"), ("discriminator",)),
    "model_type": _OBJECT,
    "model_attributes_type": _OBJECT,
    "dataclass_type": _OBJECT,
    "dict_type": _OBJECT,
    "mapping_type": _OBJECT,
    "list_type": _LIST,
    "tuple_type": _LIST,
    "set_type": _LIST,
    "frozen_set_type": _LIST,
    "iterable_type": _LIST,
    "bool_type": _TRUTH,
    "bool_parsing": _TRUTH,
    "int_type": _WHOLE,
    "int_parsing": _WHOLE,
    "int_parsing_size": _WHOLE,
    "int_from_float": _WHOLE,
    "float_type": _NUMBER,
    "float_parsing": _NUMBER,
    "finite_number": _NUMBER,
    "decimal_type": _NUMBER,
    "decimal_parsing": _NUMBER,
    "greater_than": FormFault("too-small", Sentence("It has to be more than %(gt)s"), ("gt",)),
    "greater_than_equal": FormFault("too-small", Sentence("It has to be %(ge)s or more"), ("ge",)),
    "less_than": FormFault("too-large", Sentence("It has to be less than %(lt)s"), ("lt",)),
    "less_than_equal": FormFault("too-large", Sentence("It has to be %(le)s or less"), ("le",)),
    "date_type": _DAY,
    "date_parsing": _DAY,
    "date_from_datetime_parsing": _DAY,
    "date_from_datetime_inexact": _DAY,
    "time_type": _TIME,
    "time_parsing": _TIME,
    "datetime_type": _INSTANT,
    "datetime_parsing": _INSTANT,
    "datetime_object_invalid": _INSTANT,
    "datetime_from_date_parsing": _INSTANT,
    "timezone_aware": _INSTANT,
    "uuid_type": _UUID,
    "uuid_parsing": _UUID,
    "uuid_version": _UUID,
    "url_type": _ADDRESS,
    "url_parsing": _ADDRESS,
    "url_syntax_violation": _ADDRESS,
    "url_scheme": _ADDRESS,
    "url_too_long": FormFault(
        "too-long", Sentence("At most %(max_length)s characters may stand here"), ("max_length",)
    ),
    "day": _DAY,
    "instant": _INSTANT,
    "number": FormFault("not-digits", Sentence("A number is written in digits")),
    "zone": FormFault(
        "not-zone", Sentence("The IANA time zone database has no such zone, or none that can be used here")
    ),
}
"""By pydantic's type. What is not here is `malformed`."""
