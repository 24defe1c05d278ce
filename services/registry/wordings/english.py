"""Time words of English, as statements and laws of the United States and Canada write them."""

from services.registry.wordings.feasts import FEASTS, SAME_TIME
from services.registry.wordings.lexicon import compounds, lexicon_of, numbered, years_in_words
from services.registry.wordings.tokens import Kind

_SMALL = numbered(
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen"
    " seventeen eighteen nineteen"
)
_TENS = {20: "twenty", 30: "thirty", 40: "forty", 50: "fifty", 60: "sixty", 70: "seventy", 80: "eighty", 90: "ninety"}
_UNITS = {n: name for n, name in _SMALL.items() if 0 < n < 10}
_NUMBERS = _SMALL | _TENS | compounds(_TENS, _UNITS, " ")
_ORDINAL_UNITS = numbered("first second third fourth fifth sixth seventh eighth ninth", 1)
_ORDINALS = (
    _ORDINAL_UNITS
    | numbered(
        "tenth eleventh twelfth thirteenth fourteenth fifteenth sixteenth seventeenth eighteenth nineteenth twentieth",
        10,
    )
    | {30: "thirtieth", 40: "fortieth", 50: "fiftieth", 60: "sixtieth", 70: "seventieth", 80: "eightieth"}
    | compounds(_TENS, _ORDINAL_UNITS, " ")
)

ENGLISH = lexicon_of(
    "en",
    {
        Kind.BY: {
            "latest": "at the latest",
            None: (
                "by | no later than | not later than | at the latest by | at the latest in | on or before"
                " | by no later than | by or before | up until | prior to or by | by not later than | as late as"
                " | due | due by | due on | with a target date of | target date of | deadline of"
                " | with a deadline of | toward | towards | on or prior to | by the time of | in time for"
            ),
        },
        Kind.BEFORE: {None: "before | prior to | ahead of | in advance of | in the lead up to | until just before"},
        Kind.IN: {
            None: "in | sometime in | some time in | set for | scheduled for | planned for",
            "come": "come",  # ties only what comes of itself: "come January"
        },
        Kind.AT: {
            None: (
                "at | at the margins of | on the margins of | on the sidelines of | in the margins of"
                " | during the margins of"
            ),
            "occasion": "on the occasion of",
        },
        Kind.ON: {None: "on | dated | on the morning of | on the afternoon of | on the evening of"},
        Kind.DURING: {
            None: (
                "during | throughout | in the course of | over the course of | during the course of | for the period"
                " | for the duration of | in the period | way through | part way through | partway through"
            )
        },
        Kind.OVER: {
            None: "over | across | over a period of | over the period of | for a period of",
            "lasting": "for a duration of | with a duration of",
            "ahead": "for",  # ties only what says that it lies ahead: "for the next five years"
        },
        Kind.FROM: {
            "earliest": "at the earliest",
            "early": "starting as early as | as early as",
            None: (
                "from | starting | starting in | starting on | starting from | beginning | beginning in"
                " | beginning on | beginning with | as of | as from | effective | effective from | effective as of"
                " | commencing | no sooner than | commencing in | commencing on | no earlier than | not earlier than"
                " | not before | on and after | on or after | on and from | from and after | with effect from"
                ""
            ),
        },
        Kind.AFTER: {None: "after | following | beyond | post | later than | subsequent to"},
        Kind.WITHIN: {
            None: (
                "within | within a period of | within a maximum of | within the period of | in no more than"
                " | in not more than | no later than within"
            ),
            "less": "in less than | in under",
        },
        Kind.UNTIL: {
            "clause": "until | till",
            None: "through | all the way through | through to | up to and including | up to the end of | to at least",
            "days": "into | well into",  # no event: "into the dialogue"
        },
        Kind.BETWEEN: {None: "between"},
        Kind.EVERY: {None: "every | each | once every | at least once every | at least every | once in every"},
        Kind.SINCE: {None: "since | ago | relative to | compared to | compared with | as in"},
        Kind.NUMBER: _NUMBERS
        | {1: "one | a | an", 100: "one hundred | a hundred | hundred", 12: "twelve | a dozen"}
        | {120: "one hundred twenty | one hundred and twenty", 180: "one hundred eighty | one hundred and eighty"},
        Kind.ORDINAL: _ORDINALS,
        Kind.YEAR: years_in_words(
            "two thousand |two thousand and |twenty ", {n: t for n, t in _NUMBERS.items() if n > 9}
        ),
        Kind.MONTH: {
            1: "january | jan | jan.",
            2: "february | feb | feb.",
            3: "march | mar.",
            4: "april | apr | apr.",
            5: "may",
            6: "june | jun | jun.",
            7: "july | jul | jul.",
            8: "august | aug | aug.",
            9: "september | sep | sept | sep. | sept.",
            10: "october | oct | oct.",
            11: "november | nov | nov.",
            12: "december | dec | dec.",
        },
        Kind.WEEKDAY: numbered("monday tuesday wednesday thursday friday saturday sunday"),
        Kind.TOMORROW: {1: "tomorrow", 2: "the day after tomorrow"},
        Kind.WORD: {None: "better tomorrow | brighter tomorrow | been able | was able | were able"},
        Kind.NOT: {None: "not | never | cannot"},
        Kind.SEASON: {
            21: "spring | springtime",
            22: "summer | summertime",
            23: "fall | autumn",
            24: "winter | wintertime",
        },
        Kind.QUARTER: {1: "q1 | 1q", 2: "q2 | 2q", 3: "q3 | 3q", 4: "q4 | 4q"},
        Kind.HALF: {1: "h1 | 1h", 2: "h2 | 2h"},
        Kind.PART: {
            "early": (
                "early | early in | earlier in | beginning of | the beginning of | start of | the start of"
                " | the early part of | the outset of | the first part of | the early"
            ),
            "mid": (
                "mid | middle of | the middle of | the mid | half way through | halfway through | midway through"
                " | half way into | halfway into | midway into | half way point of | the half way point of"
                " | halfway point of | the halfway point of | halfway mark of | the halfway mark of | midpoint of"
                " | the midpoint of | the mid point of"
            ),
            "late": "late | late in | the latter part of | the late | the closing months of | towards the end of",
            "end": (
                "end | the end | end of | the end of | the close of | close of | the conclusion of | end in"
                " | the expiration of | turn of | the turn of"
            ),
            "over": "is out | is over | ends | comes to an end | closes | is up | is done | has ended | concludes",
        },
        Kind.UNIT: {
            ("day", False): "day | calendar day",
            ("day", True): "days | calendar days",
            ("week", False): "week",
            ("week", True): "weeks",
            ("weekend", False): "weekend",
            ("weekend", True): "weekends",
            ("fortnight", False): "fortnight",
            ("fortnight", True): "fortnights",
            ("month", False): "month",
            ("month", True): "months",
            ("quarter", False): "quarter",
            ("quarter", True): "quarters",
            ("half", False): "half | semester",
            ("half", True): "halves",
            ("half", None): "half a year | a half year",
            ("year", False): "year | calendar year",
            ("year", True): "years | calendar years",
            ("decade", False): "decade",
            ("decade", True): "decades",
            ("century", False): "century",
        },
        Kind.FISCAL: {None: "fiscal year | fiscal | fy | financial year"},
        Kind.FEAST: FEASTS["en"],
        Kind.SAME_TIME: {None: SAME_TIME["en"]},
        Kind.THIS: {None: "this | this coming | the current | the present | current | this same"},
        Kind.NEXT: {None: "next"},
        Kind.COMING: {
            None: (
                "coming | the coming | the next | upcoming | the upcoming | the following | following the next"
                " | these next | ensuing"
            )
        },
        Kind.LAST: {
            "before": (
                "past | the past | previous | the previous | this past | the prior | earlier this | so far this"
                " | thus far this | so far in | thus far in"
            ),
            "last-before": "last | the last",
            "last": "final | the final | closing | the closing",
        },
        Kind.LATER: {None: "later | later in | later on in | the rest of | the remainder of"},
        Kind.FEW: {None: "few | several | some | a few | a couple of | couple of | many | number of | a number of"},
        Kind.ONWARD: {
            None: (
                "and beyond | and after | and thereafter | and onward | and onwards | onward | onwards | and later"
                " | thereafter | and every year thereafter | and following years | and the years beyond"
                " | and subsequent years | and forward | forward"
            )
        },
        Kind.TRAILING: {
            "latest": "or earlier | or before | or sooner | if not earlier | if not sooner | if not before",
            "earliest": "or later",
        },
        Kind.DEADLINE: {None: "deadline | closing date | due date"},
        Kind.AND_A_HALF: {None: "and a half"},
        Kind.MOST: {
            None: (
                "highest | lowest | largest | biggest | worst | best | fastest | sharpest | longest | deepest"
                " | greatest"
                " | strongest | weakest | smallest | driest | wettest | hottest | only"
            )
        },
        Kind.OFTEN: {
            12: (
                "annually | yearly | on an annual basis | once a year | once per year | every single year"
                " | year after year | at least annually | at least once a year"
            ),
            6: (
                "semiannually | semi annually | twice a year | twice yearly | twice per year | every half year"
                " | twice annually"
            ),
            3: "quarterly | on a quarterly basis | four times a year",
            1: "monthly | weekly | on a monthly basis | once a month | daily",
            24: "biennially | every other year | every second year | on a biennial basis | once every other year",
            36: "triennially",
            60: "quinquennially | every half decade",
            -6: "biannually",
            0: "on a regular basis | regularly | periodically | at regular intervals | from time to time",
        },
        Kind.VAGUE: {
            None: (
                "over the medium term | in the medium term | over the long term | in the long term"
                " | over the short term | in the short term | in the near term | over the near term"
                " | in the near future | in the foreseeable future | as soon as possible | as early as possible"
                " | at the earliest opportunity | without delay | in due course | soon | in a timely manner"
                " | over time"
                " | promptly | until further notice | forthwith | in the future | at an early date | when appropriate"
                " | on an ongoing basis | for years to come | for decades to come | for generations to come"
                " | in the days ahead | in the weeks ahead | in the months ahead | in the years ahead"
                " | in the days to come | in the weeks to come | in the months to come | in the years to come"
                " | in the decades to come | within a reasonable period of time | within a reasonable time"
                " | as appropriate | medium term | long term"
            )
        },
        Kind.EVENT: {
            "summit": "summit | leaders' summit | leaders summit",
            "own-summit": "north american leaders' summit | north american leaders summit | nals | three amigos summit",
            "other": (
                "conference | ministerial | session | entry into force"
                " | date of entry into force | enactment | signature | adoption | ratification | election"
                " | dialogue | review | joint review | conference of the parties | publication | anniversary | cop"
                " | enactment of this act | stocktake | global stocktake | conclusion of"
                " | completion of | date of enactment"
            ),
            "body": "g20 | g7 | g8 | forum | assembly",  # as often who acts as when: "G20 2020", "the Forum agreed"
            "verb": "meeting | meetings",  # "toward meeting the targets"
        },
        Kind.HERE: {
            None: (
                "today | this statement | the date of this statement | this declaration"
                " | the date of this declaration | now | this announcement | this order | the date of this order"
                " | the date of this memorandum | this date | hereof | the date hereof"
            )
        },
        Kind.MEASURE: {
            None: (
                "percent | per cent | % | levels | level | baseline | baselines | dollars | agenda | agreement | act"
                " | report | budget | prices | census | resolution | framework | strategy | plan | target | targets"
                " | goal | goals | tonnes | tons | people | persons | deaths | jobs | kilometers | kilometres | miles"
                " | hectares | acres | gigawatts | mw | gw | km | million | billion | companies | firearms | vehicles"
                " | students | refugees | workers | communities | words | pages | members | cases | declaration"
            )
        },
        Kind.MINIMUM: {
            None: ("at least | a minimum of | not less than | no fewer than | no less than | at most | a maximum of"),
            "about": "approximately | about | around | circa | roughly",
            "up-to": "up to",
        },
        Kind.GLUE: {
            "of": "of",
            None: (
                "its | their | our | these | calendar | period | the month of | the day of | the date of | 's | ' | s"
            ),
        },
        Kind.THE: {None: "the"},
        Kind.AND: {None: "and | or | &"},
        Kind.TO: {None: "to"},
    },
    day_first=None,
)
