"""Time words of French, as statements and laws of Canada and the United Nations write them."""

from services.registry.wordings.feasts import FEASTS, SAME_TIME
from services.registry.wordings.lexicon import compounds, lexicon_of, numbered, years_in_words
from services.registry.wordings.tokens import Kind

_SMALL = numbered(
    "zéro un|une deux trois quatre cinq six sept huit neuf dix onze douze treize quatorze quinze seize"
    " dix_sept dix_huit dix_neuf"
)
_SMALL = {n: name.replace("_", " ") for n, name in _SMALL.items()}
_TENS = {20: "vingt", 30: "trente", 40: "quarante", 50: "cinquante", 60: "soixante"}
_UNITS = {n: name for n, name in _SMALL.items() if 1 < n < 10}
_TEENS = {n: name for n, name in _SMALL.items() if 9 < n < 20}
_NUMBERS = (
    _SMALL
    | _TENS
    | {80: "quatre vingts|quatre vingt"}
    | {ten + 1: f"{name} et un|{name} et une" for ten, name in _TENS.items()}
    | {71: "soixante et onze"}
    | compounds(_TENS, _UNITS, " ")
    | {n: name for n, name in compounds({60: "soixante"}, _TEENS, " ").items() if n != 71}
    | compounds({80: "quatre vingt"}, {1: "un|une"} | _UNITS | _TEENS, " ")
)


def _ordinal(name: str) -> str:
    """The ordinal of a number's name: "soixante-dix-huit" → "soixante-dix-huitième"."""
    stem = {"cinq": "cinqu", "neuf": "neuv"}.get(name.rpartition(" ")[2], name.rpartition(" ")[2].removesuffix("e"))
    return " ".join(filter(None, [name.rpartition(" ")[0], f"{stem}ième"]))


_ORDINALS = {n: _ordinal(name.partition("|")[0]) for n, name in _NUMBERS.items() if n > 1} | {
    1: "premier|première|premiers|premières",
    2: "deuxième|second|seconde",
    80: "quatre vingtième",
}

FRENCH = lexicon_of(
    "fr",
    {
        Kind.BY: {
            "counts": "d'ici | d'ici à | d'ici au | d'ici le",
            "latest": "au plus tard",
            None: (
                "au plus tard le | au plus tard en | au plus tard à | au plus tard au"
                " | au plus tard d'ici | à l'horizon | à l'horizon de | pour le | vers | au plus tard dans"
                " | au plus tard lors de | au plus tard lors du | échéance du | l'échéance du | date limite du"
                " | date butoir du"
                " | en vue de | en vue du | à échéance de | avant ou en | en ou avant | à temps pour"
            ),
            "for": "pour",
        },
        Kind.BEFORE: {
            None: (
                "avant | avant le | avant la | avant de | préalablement à | en prévision de | en amont de"
                " | en amont du | précédant | avant que | avant qu'"
            )
        },
        Kind.IN: {
            None: "en | dans | prévu pour | prévue pour | courant | au mois de | au mois d'",
            "come": "quand viendra | quand arrivera | une fois arrivé | une fois arrivée",
        },
        Kind.AT: {
            None: ("à | lors de | lors du | en marge de | en marge du | pendant le"),
            "the": "au | aux | à la",
            "occasion": "à l'occasion de | à l'occasion du | à l'occasion d' | dans le cadre de | dans le cadre du",
        },
        Kind.ON: {None: "en date du | le jour du | daté du | dans la matinée du | dans la soirée du"},
        Kind.DURING: {
            None: (
                "au cours de | au cours du | au cours des | durant | pendant | tout au long de | tout au long du"
                " | dans le courant de | dans le courant du | au fil de | au fil des | pour la période"
                " | pendant la période | au cours de la période | sur la période"
            )
        },
        Kind.OVER: {
            "lasting": "pour une durée de | pour une durée d' | d'une durée de | pendant une durée de",
            None: "sur | sur une période de | pendant une période de | pour une période de | échelonné sur | étalé sur",
        },
        Kind.FROM: {
            "earliest": "au plus tôt",
            None: (
                "à compter de | à compter du | à partir de | à partir du | dès | dès le | à dater du | au plus tôt le"
                " | au plus tôt en | pas avant | avec effet au | à compter des"
            ),
        },
        Kind.AFTER: {
            None: (
                "après | suivant | suivant la | suivant le | suivant la date de | après la date de | à la suite de"
                " | à la suite du | qui suivent | qui suit | au delà de | suivant la date d' | après la date d'"
                " | postérieur à | à compter de la date de | à compter de la date d' | qui suivent la date d'"
            )
        },
        Kind.WITHIN: {
            None: (
                "dans un délai de | dans un délai d' | dans l'espace de | dans le délai de"
                " | dans un délai maximal de | dans un délai maximum de | dans un délai n'excédant pas | d'ici les"
                " | dans un délai d'au plus | dans un maximum de | dans les limites de"
            ),
            "less": "en moins de | en moins d'",
            "in": "dans les",  # a term where a length follows: "dans les six mois"
            "days": "sous",  # no event: "sous la présidence"
        },
        Kind.UNTIL: {
            "clause": "jusqu'à ce que | jusqu'à ce qu'",
            None: ("jusque | jusque dans | jusqu'à | jusqu'à l' | jusqu'au | jusqu'en | jusqu'à la | jusqu'au mois de"),
            "now": "de maintenant à | de maintenant jusqu'à | d'aujourd'hui à",
        },
        Kind.BETWEEN: {None: "entre"},
        Kind.EVERY: {
            None: (
                "tous les | toutes les | chaque | une fois tous les | une fois par | au moins tous les"
                " | au moins une fois tous les | au moins une fois par | à tous les | au moins chaque"
            )
        },
        Kind.SINCE: {None: "depuis | il y a | par rapport à | par rapport aux | en comparaison de | comparativement à"},
        Kind.NUMBER: _NUMBERS | {100: "cent", 120: "cent vingt", 180: "cent quatre vingts"},
        Kind.ORDINAL: _ORDINALS,
        Kind.YEAR: years_in_words("deux mille ", {n: t for n, t in _NUMBERS.items() if n}),
        Kind.MONTH: {
            1: "janvier | janv | janv.",
            2: "février | févr | févr. | fév | fév.",
            3: "mars",
            4: "avril | avr | avr.",
            5: "mai",
            6: "juin",
            7: "juillet | juil | juil. | juill.",
            8: "août",
            9: "septembre | sept.",
            10: "octobre | oct | oct.",
            11: "novembre | nov | nov.",
            12: "décembre | déc | déc.",
        },
        Kind.WEEKDAY: numbered("lundi mardi mercredi jeudi vendredi samedi dimanche"),
        Kind.TOMORROW: {1: "demain", 2: "après demain"},
        Kind.NOT: {None: "pas | jamais"},
        Kind.SEASON: {21: "printemps", 22: "été", 23: "automne", 24: "hiver"},
        Kind.QUARTER: {1: "q1 | t1 | 1t", 2: "q2 | t2 | 2t", 3: "q3 | t3 | 3t", 4: "q4 | t4 | 4t"},
        Kind.HALF: {1: "s1 | 1s", 2: "s2 | 2s"},
        Kind.PART: {
            "early": (
                "début | le début de | au début de | au début du | le début du | début de | au commencement de"
                " | au début des | le début des | la première partie de | au tout début de"
            ),
            "mid": (
                "mi | la mi | le milieu de | le milieu du | au milieu de | au milieu du | milieu | le milieu des"
                " | au milieu des | à la mi | à la moitié de | à mi parcours de"
                " | le point médian de"
            ),
            "late": "vers la fin de | vers la fin du",
            "end": (
                "à la fin de | à la fin du | à la fin des | à la toute fin de | en fin d' | fin | en fin de | la fin"
                " | la fin de | la fin du | la fin des | fin de | la clôture de | l'expiration de | l'achèvement de"
                " | la fin de l'an | l'issue de | la fin d' | l'échéance de | au tournant de | au tournant du"
                " | le tournant de | le tournant du | tournant de | tournant du"
            ),
            "over": (
                "s'achève | ne s'achève | se termine | ne se termine | finisse | ne finisse | prenne fin"
                " | ne prenne fin | soit écoulé | ne soit écoulé | soit écoulée | ne soit écoulée | soit terminé"
                " | ne soit terminé | soit terminée | ne soit terminée | soit achevée | ne soit achevée"
                " | soit finie | ne soit finie | se finisse | ne se finisse"
            ),
        },
        Kind.UNIT: {
            ("day", False): "jour | journée | jour civil",
            ("day", True): "jours | jours civils",
            ("week", False): "semaine",
            ("week", True): "semaines",
            ("weekend", False): "week end | weekend",
            ("weekend", True): "week ends | weekends",
            ("fortnight", False): "quinzaine",
            ("month", None): "mois",
            ("quarter", False): "trimestre",
            ("quarter", True): "trimestres",
            ("half", False): "semestre | moitié",
            ("half", True): "semestres",
            ("half", None): "une demi année",
            ("year", False): "an | année | année civile",
            ("year", True): "ans | années",
            ("decade", False): "décennie",
            ("decade", True): "décennies",
            ("century", False): "siècle",
        },
        Kind.FISCAL: {
            None: (
                "exercice | exercice financier | année financière | année fiscale | exercice budgétaire"
                " | exercice fiscal"
            ),
            "short": "ef | af | fy",
        },
        Kind.FEAST: FEASTS["fr"],
        Kind.SAME_TIME: {None: SAME_TIME["fr"]},
        Kind.THIS: {
            "first": "cette | ce | cet | la présente | le présent",
            None: ("en cours | courante | l'actuel | l'actuelle | actuelle | actuel"),
        },
        Kind.NEXT: {"counts": "prochain | prochaine | le prochain | la prochaine | qui vient | suivante"},
        Kind.COMING: {
            None: (
                "prochains | prochaines | les prochains | les prochaines | à venir | suivants | suivantes"
                " | qui viennent | des prochaines | des prochains"
            )
        },
        Kind.LAST: {
            "before": "plus tôt cette | plus tôt ce",
            "last": "dernier | dernière | derniers | dernières",
            None: "passé | passée | passés | passées | précédent | précédente | écoulé | écoulée | écoulés | écoulées",
        },
        Kind.LATER: {
            None: "plus tard | plus tard dans | plus tard au cours de | ultérieurement dans | le reste de | le reste du"
        },
        Kind.FEW: {None: "quelques | plusieurs"},
        Kind.ONWARD: {
            None: (
                "et au delà | et par la suite | et les années suivantes | et ultérieurement | et après"
                " | et les suivantes | et pour les années suivantes"
            )
        },
        Kind.TRAILING: {
            "latest": "ou avant | ou plus tôt | si ce n'est avant | voire avant | voire plus tôt",
            "earliest": "ou après | ou plus tard",
        },
        Kind.DEADLINE: {None: "date limite | clôture | échéance | date butoir | date de clôture"},
        Kind.AND_A_HALF: {None: "et demi | et demie"},
        Kind.YEARLY: {
            None: (
                "budget | budgets | prévision | prévisions | calendrier | programme de travail | projet de budget"
                " | projet de loi de finances | loi de finances"
            )
        },
        Kind.MOST: {None: "le plus | la plus | les plus | pire | meilleur | meilleure"},
        Kind.OFTEN: {
            12: (
                "annuellement | une fois par année | une fois par an | une fois l'an | sur une base annuelle"
                " | au moins une fois par année | au moins une fois par an"
            ),
            6: "semestriellement | deux fois par an | deux fois par année | deux fois l'an",
            3: "trimestriellement | quatre fois par an | sur une base trimestrielle | quatre fois par année",
            1: "mensuellement | hebdomadairement | une fois par mois | quotidiennement | sur une base mensuelle",
            24: "une année sur deux | un an sur deux | bisannuellement | biennalement",
            36: "triennalement",
            60: "quinquennalement",
            0: "périodiquement | régulièrement | de façon régulière | de manière régulière | à intervalles réguliers",
        },
        Kind.VAGUE: {
            None: (
                "à moyen terme | à long terme | à court terme | dans un avenir proche | dans un proche avenir"
                " | dans un avenir prévisible | dès que possible | le plus tôt possible | dans les meilleurs délais"
                " | dans les plus brefs délais | sans délai | sans tarder | bientôt | prochainement | sous peu"
                " | en temps voulu | en temps utile | à l'avenir | avec le temps | à plus long terme"
                " | dans un délai raisonnable | sur le moyen terme | sur le long terme | promptement"
                " | jusqu'à nouvel ordre"
            )
        },
        Kind.EVENT: {
            "summit": "sommet | sommet des leaders | sommet des dirigeants",
            "own-summit": "sommet des leaders nord américains | slna | sommet des dirigeants nord américains | nals",
            "other": (
                "réunion | conférence | session | entrée en vigueur | date d'entrée en vigueur"
                " | signature | adoption | ratification | élection | dialogue | examen | examen conjoint"
                " | publication | conférence des parties | cop | réunion ministérielle | rencontre"
                " | anniversaire | bilan mondial | date de l'entrée en vigueur | sanction"
                " | date de son entrée en vigueur | promulgation"
            ),
            "body": "g20 | g7 | g8 | forum | assemblée",
        },
        Kind.HERE: {
            None: (
                "aujourd'hui | cette déclaration | la date de cette déclaration | la présente déclaration"
                " | la date de la présente déclaration | maintenant | ce jour | la date de la présente"
            )
        },
        Kind.MEASURE: {
            None: (
                "% | pour cent | p. 100 | niveaux | tonnes | personnes | décès | emplois | kilomètres | hectares"
                " | dollars | millions | milliards | km | mw | gw | entreprises | véhicules | étudiants | réfugiés"
                " | travailleurs | communautés"
            )
        },
        Kind.MINIMUM: {
            None: "au moins | au minimum | un minimum de | pas moins de | au maximum",
            "about": "environ | à peu près | autour de | aux alentours de | aux environs de",
        },
        Kind.GLUE: {
            "of": "de | du | d'",
            "from": "des",
            "month-of": "mois de | mois d'",
            None: (
                "l' | le | la | les | son | sa | ses | leur | notre | le mois de"
                " | de la | de l' | du mois de | nos | le mois d' | du mois d' | la date de | la date d'"
            ),
        },
        Kind.AND: {None: "et | ou"},
    },
    day_first=True,
)
