"""At which revisions each release has left the schemas."""

from collections.abc import Collection, Mapping

RELEASED_SCHEMAS: Mapping[str, Mapping[str, str]] = {
    "0.2.0": {"registry": "0010", "scheduler": "0011", "notifier": "0014"},
}
"""The newest revision of each schema, by release, oldest first; a release adds its line."""

LAST_RELEASE = list(RELEASED_SCHEMAS)[-1]


def revision_of(place: str, schema: str, revisions: Collection[str] = ()) -> str:
    """The revision that a word means for a schema: a release's, `base`, `head`, or one of these `revisions`.

    Raises ValueError for a word that means none.
    """
    if place in RELEASED_SCHEMAS:
        return RELEASED_SCHEMAS[place][schema]
    if place in ("base", "head") or place in revisions:
        return place
    raise ValueError(f"{place or 'nothing'} is neither a release ({', '.join(RELEASED_SCHEMAS)}), base nor head")
