"""The topic cards: in the README, below what people have written, and as data."""

import json
from typing import Any

from contracts.generation.asyncapi import ORGANISATIONS, Examples
from contracts.generation.json_schemas import ending_in_words, event_name, schema_path
from contracts.topics import ALL, DAY_MS, DEAD_RETENTION_MS, EVERY_TOPIC, STATUS_REJECTED, Topic

_NOT_IN_ANCHORS = str.maketrans("", "", "{}.")
"""What a heading has and the link to it has not."""
CARDS_BEGIN = "<!-- The cards: written by `python -m contracts.generate` from here on. -->\n"


def with_topic_cards(readme: str, examples: Examples) -> str:
    """The README: what stands above the marker is written by hand and kept, below it one card for each topic."""
    by_hand = readme.partition(CARDS_BEGIN)[0]
    return by_hand + CARDS_BEGIN + "\n" + "\n".join(_overview() + [_card(topic, examples) for topic in ALL])


def _overview() -> list[str]:
    rows = [
        f"| [`{t.name}`](#{_anchor(t.name)}) | {', '.join(t.writers)} | {', '.join(t.readers)} "
        f"| {_kept(t)}{ending_in_words(t)} |"
        for t in ALL
    ]
    return ["| topic | writers | readers | kept |", "|---|---|---|---|", *rows, ""]


def _card(topic: Topic, examples: Examples) -> str:
    path = schema_path(topic)
    name = f"{event_name(topic)}.v{topic.version}"
    links = ", ".join(f"[{example}](examples/{name}.{example}.json)" for example in examples(topic))
    rows = {
        "event": f"`{topic.event.__name__}`, type `{topic.event_type}`",
        "writers": ", ".join(ORGANISATIONS.get(writer, writer) for writer in topic.writers),
        "readers": ", ".join(topic.readers),
        "key": topic.key,
        "partitions": str(topic.partitions),
        "kept": _kept(topic),
        "settings": ", ".join(f"`{name}={value}`" for name, value in topic.config.items()) or "the broker's",
        "dead letters": _dead_letters(topic),
        "schema": f"[{path}]({path})",
        "examples": links,
    }
    if topic.superseded:
        by = topic.superseded.by
        rows["ends"] = (
            f"{topic.superseded.sunset}, superseded since {topic.superseded.since} by [`{by}`](#{_anchor(by)})"
        )
    table = "".join(f"| {what} | {is_} |\n" for what, is_ in rows.items())
    return f"## {topic.name}\n\n{topic.purpose}{ending_in_words(topic)}\n\n| | |\n|---|---|\n{table}"


def _anchor(name: str) -> str:
    return name.translate(_NOT_IN_ANCHORS)


def _dead_letters(topic: Topic) -> str:
    if topic is STATUS_REJECTED:
        return "none: none of our services reads it"
    return f"`{topic.dead}`, {DEAD_RETENTION_MS // DAY_MS} days" + (
        f", read by {', '.join(topic.dead_readers)}" if topic.dead_readers else ""
    )


def _kept(topic: Topic) -> str:
    if topic.is_compacted:
        return "the last of each key, for ever"
    return "for ever" if topic.retention_ms < 0 else f"{topic.retention_ms // DAY_MS} days"


def cards_document() -> dict[str, str]:
    """The cards as data, by their path in `contracts/`: what is promised of each topic."""
    return {"cards.json": json.dumps([_as_data(topic) for topic in ALL], indent=2, ensure_ascii=False) + "\n"}


def _as_data(topic: Topic) -> dict[str, Any]:
    return {
        "topic": topic.name,
        "purpose": topic.purpose,
        "type": topic.event_type,
        "written_by_others": topic.is_ingest,
        "writers": topic.writers,
        "readers": topic.readers,
        "key": topic.key,
        "partitions": topic.partitions,
        "retention_ms": topic.retention_ms,
        "config": EVERY_TOPIC | topic.config,
        "dead_letters": None if topic is STATUS_REJECTED else topic.dead,
        "schema": schema_path(topic),
        "superseded_by": topic.superseded.by if topic.superseded else None,
        "superseded_since": topic.superseded.since.isoformat() if topic.superseded else None,
        "sunset": topic.superseded.sunset.isoformat() if topic.superseded else None,
    }
