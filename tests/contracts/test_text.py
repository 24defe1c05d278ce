"""What text may enter, by Unicode's classes: at the rule, and at every field of every form and ingest event."""

import importlib
import pkgutil
from collections.abc import Iterator
from typing import Annotated, Any, get_args
from unicodedata import category, normalize

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import BaseModel, TypeAdapter, ValidationError

import services
from contracts.entered import EnteredDocument, EnteredLine, EnteredLink
from contracts.events import StatusReported
from contracts.text import BYTES_EACH, MOST_MARKS, fit, fit_link, is_seen
from services.plumbing.http.forms import RequestModel
from services.registry.catalogue.loading import load

line = TypeAdapter(EnteredLine).validate_python
OTHERS = ("notifier", "registry", "scheduler", "plumbing")

UNSEEN = {
    "a space": " ",
    "wide spaces": "\u3000\u2003\xa0",
    "a zero-width space": "\u200b",
    "a word joiner": "\u2060",
    "a byte order mark": "\ufeff",
    "two of them": "\ufeff\ufeff",
    "a soft hyphen": "\xad",
    "a direction mark": "\u200f",
    "a Hangul filler": "\u3164",
    "a half-width filler": "\uffa0",
    "a blank of Braille": "\u2800",
    "a lone accent": "\u0301",
    "a variation selector": "\ufe0f",
    "a joiner": "\u200d",
    "the place of an object": "\ufffc",
    "private use": "\ue000",
    "a combining grapheme joiner": "\u034f",
    "an invisible times": "\u2062",
}
NEVER = {
    "NUL": "\0",
    "a line end": "\n",
    "a tab": "\t",
    "an escape": "\x1b",
    "DEL": "\x7f",
    "NEL": "\x85",
    "a line separator": "\u2028",
    "a paragraph separator": "\u2029",
    "an override": "\u202e",
    "an embedding": "\u202a",
    "an isolate": "\u2066",
    "the end of one": "\u2069",
    "a byte order mark inside": "\ufeff",
    "U+FFFF": "\uffff",
    "U+FFFE": "\ufffe",
    "U+FDD0": "\ufdd0",
    "U+1FFFE": "\U0001fffe",
    "U+10FFFF": "\U0010ffff",
    "half a pair": "\ud800",
    "a tag": "\U000e0041",
    "an annotation": "\ufff9",
    "a deprecated format": "\u206a",
    "a pile of accents": "\u0301" * (MOST_MARKS + 2),
    "a row of nothing": "\u200b" * (MOST_MARKS + 1),
}


@pytest.mark.parametrize("text", UNSEEN.values(), ids=UNSEEN)
def test_a_text_shows_something(text: str) -> None:
    with pytest.raises(ValidationError):
        line(text)
    assert not is_seen(text)


@pytest.mark.parametrize("text", NEVER.values(), ids=NEVER)
def test_what_ends_lines_turns_them_or_is_in_no_document_does_not_enter(text: str) -> None:
    with pytest.raises(ValidationError):
        line(f"before{text}after")


@pytest.mark.parametrize(
    "text",
    [
        "Señal de México: « à l’échéance », 50 %",
        "שלום עולם",
        "السلام\u200f عليكم",
        "می\u200cخواهم",
        "क्\u200dष",
        "བསྒྲུབས",
        "👩🏽\u200d❤️\u200d💋\u200d👨🏻 🇲🇽",
        "\U0001fae8 of a newer Unicode",
        "co\xadoperation \uf0b7 from a word processor",
        "=?utf-8?q?a_text_about_mail?=",
        "?",
        "—",
        "٧",
    ],
)
def test_what_people_write_enters_as_it_is(text: str) -> None:
    assert line(text) == text


def test_a_text_enters_in_form_c_without_a_byte_order_mark_before_it() -> None:
    assert line("\ufeff" + normalize("NFD", "Núñez à Québec")) == "Núñez à Québec"


def test_a_text_has_its_length_in_characters_and_in_bytes() -> None:
    assert len(line("字" * 300)) == 300
    for text in ("a" * 301, "\U0001f600" * (300 * BYTES_EACH // 4 + 1)):
        with pytest.raises(ValidationError):
            line(text)
    with pytest.raises(ValidationError):
        line("\ufb2c" * 300)  # three characters each in form C


@given(st.text(max_size=20))
@example("\u1100\u0301\u200b")
def test_what_has_entered_enters_again_as_it_is_and_is_one_line_of_something(text: str) -> None:
    try:
        entered = fit(text, 300)
    except ValueError:
        return
    assert fit(entered, 300) == entered
    assert len(entered.splitlines()) == 1
    assert entered.strip()
    assert not {category(c) for c in entered} & {"Cc", "Cs", "Zl", "Zp"}
    assert is_seen(entered)


def test_a_document_has_lines_and_is_kept_as_it_came() -> None:
    document = TypeAdapter(EnteredDocument).validate_python
    text = "\ufeffA title\r\n\tand a de\u0301tail\n"

    assert document(text) == text
    for wrong in ("\0", "\u202e", "\uffff", "\n \n"):
        with pytest.raises(ValidationError):
            document(wrong if wrong.isspace() else f"a{wrong}b")


@pytest.mark.parametrize(
    "url",
    [
        "https://",
        "https://?q",
        "https://user@evil.example/",
        "https://www.gob.mx:443@evil.example/",
        "https://\u200b/",
        "https://[::1/",
        "https://a.example:port/",
        "https://a.example/\u202egnp.exe",
        "https://a.example/\uffff",
        "https://a.example/x\u2003y",
        "https://a.example\\@b.example/",
        'https://a.example/"onclick',
        "https://a.example/<b>",
        "javascript:alert(1)",
        "https://a.example:0/x",
        "https://a.example:00/x",
        "https://[2001:db8::1]:0/x",
        "https://a..example/",
        "https://.a.example/",
        "https://a.example../",
        "https://a\u3002\uff0eexample/",
        "https://./",
        "https://[fe80::1%25eth0]/",
        "https://[fe80::1%eth0]/",
        "https://[v1.a]/",
        "https://a.example%0d%0aHost:b/",
        "https://a%0D%0A.example/",
        "https://a%2eexample/",
        "https://a\uff052eexample/",
        "https://" + "a" * 64 + ".example/",
        "https://" + "\u4f8b" * 60 + ".example/",
        "https://" + ".".join(["a" * 60] * 4) + ".a123456789/",
        "https://1.2.3.256/",
        "https://1.2.3/",
        "https://2130706433/",
        "https://a.0x7f/",
        "https://xn--.example/",
        "https://xn--a-.example/",
        "https://xn--99999999.example/",
    ],
)
def test_an_address_that_can_not_be_read_or_reads_as_another_does_not_enter(url: str) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(EnteredLink).validate_python(url)


@pytest.mark.parametrize(
    "url",
    [
        "https://www.gob.mx/sre/documentos/año-%20(1)?q=ñ&b=[2]#c",
        "http://[2001:db8::1]:8080/x",
        "https://ca.例え",
        "https://ca\u3002例え./x",
        "https://WWW.Gob.MX.:443/%0d",
        "http://9.9.9.9:65535/",
        "https://intranet/x",
        "https://my_host.a-b.example:/x",
        "https://xn--r8jz45g.example/",
        "https://🍁.example/",
        "https://" + "a" * 63 + ".example/",
        "https://" + ".".join(["a" * 60] * 4) + ".a12345678/",
        "https://a1.2b/",
    ],
)
def test_an_address_enters_unchanged(url: str) -> None:
    assert fit_link(url) == url


def _forms() -> Iterator[type[BaseModel]]:
    """Whatever is sent to us: all forms of HTTP and the ingest event, with all that stands in them."""
    for module in pkgutil.walk_packages(services.__path__, "services."):
        if (
            module.name.split(".")[1] in OTHERS
            and not module.name.endswith("__main__")
            and ".migrations" not in module.name
        ):
            importlib.import_module(module.name)
    found: dict[type[BaseModel], None] = {}
    waiting: list[Any] = [StatusReported, *_below(RequestModel)]
    while waiting:
        kind = waiting.pop()
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            if kind not in found:
                found[kind] = None
                waiting += [field.annotation for field in kind.model_fields.values()]
        else:
            waiting += get_args(kind)
    return iter(found)


def _below(kind: type) -> list[type]:
    return [
        one for sub in kind.__subclasses__() if sub.__module__.startswith("services.") for one in (sub, *_below(sub))
    ]


FORMS = sorted(_forms(), key=lambda form: f"{form.__module__}.{form.__name__}")


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.__name__)
def test_no_field_of_any_form_takes_what_may_not_enter(form: type[BaseModel]) -> None:
    assert StatusReported in FORMS
    for name, field in form.model_fields.items():
        if (form.__name__, name) == ("StatementCopy", "text"):
            continue  # a document: its lines may end
        taken = TypeAdapter(Annotated[(field.annotation, *field.metadata, None)])
        hostile = {what: (f"before{text}after", f"https://a.example/{text}after") for what, text in NEVER.items()}
        for what, texts in {**hostile, **{what: (text,) for what, text in UNSEEN.items()}}.items():
            for shape in (*texts, *((text,) for text in texts)):
                assert not _takes(taken, shape), f"{form.__name__}.{name} takes {what}: {shape!r}"


def _takes(field: TypeAdapter[Any], value: Any) -> bool:
    try:
        field.validate_python(value)
    except ValidationError:
        return False
    return True


def test_what_comes_with_the_program_could_have_been_entered() -> None:
    catalogue = load()

    for text in _texts([catalogue.commitments, catalogue.anchors, catalogue.chronicle, catalogue.sections]):
        assert fit(text, 4000) == text


def _texts(tree: Any) -> Iterator[str]:
    if isinstance(tree, BaseModel):
        yield from _texts([getattr(tree, name) for name in type(tree).model_fields])
    elif isinstance(tree, (list, tuple)):
        for branch in tree:
            yield from _texts(branch)
    elif isinstance(tree, str):
        yield tree
