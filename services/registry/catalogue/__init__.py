"""The catalogue: a statement's text, and what a careful reader finds in it, as data.

A folder holds the text as it was published, byte for byte, and four YAML files of what was read in it:
`statement.yaml`, `commitments.yaml`, `anchors.yaml` and `chronicle.yaml`. `load` reads such a folder, finds
every quote in the text and computes what can be computed (positions, days, zones), so none of it can drift
from the words. Another statement is another folder.

`statement.yaml` says who made it: countries by their ISO 3166-1 codes (`"NO"` in quotation marks, since YAML reads the
bare word as false), and organisations (`org-…`), of each of which `organisations` tells code, name and the zone of its
seat. It says in which `language`, too (English unless it does). Every text is there in that language, and in others.

Positions count characters of the whitespace-collapsed text: the whole file, its front matter and the `**`
around its headings included, with every run of Unicode whitespace (line wraps and no-break spaces too)
made one space. Nothing else is touched: typographic apostrophes and the text's own slips stay. So anyone
can check a position with one line, `" ".join(text.split())[start:end]`.

How firmly the words bind is read from the verb of the undertaking, kept beside each quote:

- commit: commit, pledge (in the past too: "have pledged to", "We committed to", "have joined the … Pledge"),
  "will", "are taking concrete steps to"
- intend: intend, plan, seek, look to, look forward to, are determined to, considering, a shared goal, "with the
  goal of", "need to work together to", and a "will" that only searches ("will explore", "will also study",
  "will look at ways to")
- reaffirm: reaffirm, affirm our commitment, reiterate, remain committed, stand firm, are united in
- support: support
- invite: invite, encourage

The chronicle brings what became known from elsewhere, in the order of its table. A row known by the day of the
statement tells what an anchor's first span already holds; later rows move an anchor or report a status.
"""
