"""The topic cards of the README: one for each topic, below what people have written."""

from contracts.generation.asyncapi import ORGANISATIONS, Examples
from contracts.generation.json_schemas import event_name, schema_path
from contracts.topics import ALL, DAY_MS, DEAD_RETENTION_MS, Topic

CARDS_BEGIN = "<!-- The cards: written by `python -m contracts.generate` from here on. -->\n"


def with_topic_cards(readme: str, examples: Examples) -> str:
    """The README: what stands above the marker is written by hand and kept, below it one card for each topic."""
    by_hand = readme.partition(CARDS_BEGIN)[0]
    return by_hand + CARDS_BEGIN + "\n" + "\n".join(_overview() + [_card(topic, examples) for topic in ALL])


def _overview() -> list[str]:
    rows = [
        f"| [`{t.name}`](#{t.name}) | {', '.join(t.writers)} | {', '.join(t.readers)} | {_kept(t.retention_ms)} |"
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
        "kept": _kept(topic.retention_ms),
        "settings": ", ".join(f"`{name}={value}`" for name, value in topic.config.items()) or "the broker's",
        "dead letters": f"`{topic.dead}`, {_kept(DEAD_RETENTION_MS)}"
        + (f", read by {', '.join(topic.dead_readers)}" if topic.dead_readers else ""),
        "schema": f"[{path}]({path})",
        "examples": links,
    }
    table = "".join(f"| {what} | {is_} |\n" for what, is_ in rows.items())
    return f"## {topic.name}\n\n{topic.purpose}\n\n| | |\n|---|---|\n{table}"


def _kept(retention_ms: int) -> str:
    return "for ever" if retention_ms < 0 else f"{retention_ms // DAY_MS} days"
