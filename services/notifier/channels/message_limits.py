"""What the platforms take of one message, as data: one table, from their own pages.

A message that would be refused is degraded, never lost: a text is cut between graphemes, a button is left out.
"""

from collections.abc import Mapping
from types import MappingProxyType

SLACK: Mapping[str, int] = MappingProxyType(
    {
        "blocks": 50,
        "header": 150,
        "section": 3000,
        "button": 75,
        "button_url": 3000,
        "fallback": 600,
        "items": 25,
        "item": 150,
        "fact": 600,
    }
)
"""Characters, counted in UTF-16 after escaping, and how many there may be; `fallback` is ours, Slack cuts at 40,000.
`items` and `item` are ours, too: of a list of links, how many there are and how long each part of one is; so is
`fact`. No length of a `rich_text` block is documented, and the whole of a message is refused from some 13,000 on.

Sources: docs.slack.dev/reference/block-kit/blocks, …/block-elements/button-element, …/composition-objects/text-object.
"""

TEAMS: Mapping[str, int] = MappingProxyType({"bytes": 20_000, "button_url": 3000})
"""Teams documents 28 KB for a message, and was seen to refuse from 21 KB. No length of an address is documented."""
