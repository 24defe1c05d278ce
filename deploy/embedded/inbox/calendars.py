"""What a calendar part says, for reading; a calendar program would do more."""

_SHOWN = ("SUMMARY", "DTSTART", "DTEND", "LOCATION", "STATUS", "SEQUENCE", "UID", "URL", "TRIGGER", "DESCRIPTION")

Event = list[tuple[str, str]]


def events(calendar: str) -> list[Event]:
    """The main properties of each event, line folds and escapes undone; an alarm's belong to its event."""
    found: list[Event] = []
    unfolded = calendar.replace("\n ", "").replace("\n\t", "")
    for line in unfolded.splitlines():
        name, _, value = line.partition(":")
        name, _, options = name.partition(";")
        if line.strip().upper() == "BEGIN:VEVENT":
            found.append([])
        elif found and name.upper() in _SHOWN:
            label = f"{name.upper()} ({options})" if options else name.upper()
            found[-1].append((label, _plain(value)))
    return found


def _plain(value: str) -> str:
    return value.replace("\\n", "\n").replace("\\N", "\n").replace("\\,", ",").replace("\\;", ";").replace("\\\\", "\\")
