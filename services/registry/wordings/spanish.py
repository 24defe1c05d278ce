"""Time words of Spanish, as statements and laws of Mexico and the United Nations write them."""

from services.registry.wordings.feasts import FEASTS, SAME_TIME
from services.registry.wordings.lexicon import lexicon_of, numbered, years_in_words
from services.registry.wordings.spanish_numbers import NUMBERS, ORDINALS
from services.registry.wordings.tokens import Kind

SPANISH = lexicon_of(
    "es",
    {
        Kind.BY: {
            "counts": "de aquí a | de aquí al | en no más de",
            "for": "para | para el",
            "latest": "a más tardar | como máximo | como muy tarde",
            None: (
                "a más tardar el | a más tardar el día | a más tardar en"
                " | no más tarde de | no después de | no más tarde del | no más tarde del día | hacia | hacia el"
                " | a más tardar para | como máximo el | como muy tarde en | como muy tarde el | al año"
                " | con fecha límite | a más tardar al"
                " | con vistas a | a más tardar dentro de | con plazo al | rumbo a | de cara a | de cara al"
                " | con horizonte | con horizonte en | con miras a | con miras al"
                " | en el horizonte | en el horizonte de | en el horizonte del | con plazo hasta el"
                " | fecha límite del"
                " | con fecha límite el | antes o en | en o antes de | en o antes del | antes de o en | a tiempo para"
            ),
        },
        Kind.BEFORE: {
            None: (
                "antes de | antes del | antes del día | previo a | previa a | con anterioridad a | con antelación a"
                " | anterior a | antes de que | previamente a | previos a | previas a"
            )
        },
        Kind.IN: {
            None: "en | en el curso de | programado para | programada para | prevista para | previsto para"
            " | programados para | programadas para | previstos para | previstas para",
            "come": "llegado | llegada | cuando llegue | en cuanto llegue",
        },
        Kind.AT: {
            "by": "al",
            "to": "a",
            None: "al margen de | por",
            "occasion": "en el marco de | en el marco del | en ocasión de | con motivo de | con motivo del",
        },
        Kind.ON: {None: "el día | los días | con fecha | mediodía del | mañana del | tarde del | la madrugada del"},
        Kind.DURING: {
            None: (
                "durante | a lo largo de | en el transcurso de | en el transcurso del | a lo largo del"
                " | durante el curso de | en el período | en el periodo | para el período | para el periodo"
                " | durante el período | durante el periodo | a lo largo de todo"
            )
        },
        Kind.OVER: {
            "lasting": "por una duración de | con una duración de | durante un plazo de",
            None: (
                "a lo largo de un período de | por un período de | por un periodo de | por un plazo de"
                " | durante un período de | durante un periodo de | en un horizonte de | a lo largo de un periodo de"
            ),
        },
        Kind.FROM: {
            "since": "desde",
            "earliest": "como pronto | como muy pronto",
            None: (
                "a partir de | a partir del | a contar de | a contar del | con efectos a partir de"
                " | no antes de | no antes del | a partir de enero | empezando en | comenzando en | con inicio en"
                " | a partir del día | con efecto a partir del"
            ),
        },
        Kind.AFTER: {
            None: (
                "después de | después del | tras | posterior a | posterior al | posteriores a | posteriormente a"
                " | siguientes a"
                " | contados a partir de | contado a partir de | contados desde | siguiente a | siguiente al"
                " | más allá de"
                " | más allá del | a partir de la fecha de | después de la fecha de"
                " | contados a partir de la fecha de | posteriores a la fecha de | siguientes a la fecha de"
                " | con posterioridad a | contados a partir del | posteriores al | siguientes al"
                " | contados a partir de la"
            )
        },
        Kind.WITHIN: {
            None: (
                "dentro de | dentro de los | dentro de las | en un plazo de | en un plazo no mayor a"
                " | en un plazo máximo de | dentro de un plazo de | en un término de | en el plazo de"
                " | en un lapso de | dentro del | dentro del plazo de | en un plazo no mayor de"
                " | en un plazo que no exceda de | dentro de un período de | en un plazo no superior a"
            ),
            "less": "en menos de",
        },
        Kind.UNTIL: {
            "clause": "hasta que",
            None: "hasta | hasta el | hasta el día | hasta al menos | hasta entrado | hasta bien entrado",
            "now": "de ahora a | de hoy a | de ahora al",
        },
        Kind.BETWEEN: {None: "entre"},
        Kind.EVERY: {
            None: (
                "cada | una vez cada | al menos cada | por lo menos cada | al menos una vez cada | todos los"
                " | todas las"
            )
        },
        Kind.SINCE: {None: "hace | con respecto a | respecto de | en comparación con | respecto a | desde hace"},
        Kind.NUMBER: NUMBERS | {100: "cien", 120: "ciento veinte", 180: "ciento ochenta"},
        Kind.ORDINAL: ORDINALS,
        Kind.YEAR: years_in_words("dos mil ", {n: t for n, t in NUMBERS.items() if n}),
        Kind.MONTH: {
            1: "enero | ene | ene.",
            2: "febrero | feb | feb.",
            3: "marzo | mar.",
            4: "abril | abr | abr.",
            5: "mayo | may.",
            6: "junio | jun | jun.",
            7: "julio | jul | jul.",
            8: "agosto | ago | ago.",
            9: "septiembre | setiembre | sep | sept | sep. | sept.",
            10: "octubre | oct | oct.",
            11: "noviembre | nov | nov.",
            12: "diciembre | dic | dic.",
        },
        Kind.WEEKDAY: numbered("lunes martes miércoles jueves viernes sábado domingo"),
        Kind.TOMORROW: {1: "mañana", 2: "pasado mañana"},
        Kind.WORD: {
            None: (
                "la mañana | esta mañana | una mañana | cada mañana | el mañana | misma mañana | media mañana"
                " | mañana por la mañana"
            )
        },
        Kind.NOT: {None: "no | nunca | tampoco"},
        Kind.SEASON: {21: "primavera", 22: "verano", 23: "otoño", 24: "invierno"},
        Kind.QUARTER: {1: "q1 | t1 | 1t", 2: "q2 | t2 | 2t", 3: "q3 | t3 | 3t", 4: "q4 | t4 | 4t"},
        Kind.HALF: {1: "s1 | 1s", 2: "s2 | 2s"},
        Kind.PART: {
            "early": (
                "principios | comienzos | inicios | principios de | principios del | comienzos de | comienzos del"
                " | inicios de | inicios del | primeros de | a primeros de"
                " | a principios de | a principios del | a comienzos de | a comienzos del | a inicios de"
                " | a inicios del | al inicio de | al inicio del | al comienzo de | al comienzo del | el inicio de"
                " | el inicio del | el comienzo del | la primera parte de"
            ),
            "mid": (
                "a mitad de | a mitad del | mediados de | mediados del | a mediados de | a mediados del"
                " | la mitad de | la mitad del | mediados | el punto medio de | el punto medio del"
            ),
            "late": "la última parte de | hacia finales de | hacia fines de | la parte final de | hacia el final de",
            "end": (
                "últimos de | a últimos de | a fin de | finales | a finales de | a finales del | a fines de"
                " | a fines del | finales de | finales del | fines de | fines del | fin de | fin del | el fin de"
                " | el fin del | final de | final del | el final de"
                " | el final del | cierre de | cierre del | término de | término del | el término de"
                " | al término de | al término del | el término del"
                " | el cierre de | el cierre del | al cierre de | al cierre del | al final de | al final del"
                " | al finalizar | finalizar | que termine | que finalice | que concluya | terminar | concluir"
                " | al concluir | la conclusión de | que acabe | acabar | cambio de | el cambio de"
            ),
            "over": (
                "termine | acabe | finalice | concluya | se acabe | se termine | culmine | llegue a su fin | se agote"
                " | haya terminado | haya concluido"
            ),
        },
        Kind.UNIT: {
            ("day", False): "día | día natural",
            ("day", True): "días | días naturales",
            ("week", False): "semana",
            ("week", True): "semanas",
            ("weekend", False): "fin de semana",
            ("weekend", True): "fines de semana",
            ("fortnight", False): "quincena",
            ("month", False): "mes",
            ("month", True): "meses",
            ("quarter", False): "trimestre",
            ("quarter", True): "trimestres",
            ("half", False): "semestre | mitad",
            ("half", True): "semestres",
            ("half", None): "medio año",
            ("year", False): "año | año calendario | año natural",
            ("year", True): "años",
            ("decade", False): "década | decenio",
            ("decade", True): "décadas | decenios",
            ("century", False): "siglo",
        },
        Kind.FISCAL: {
            None: "ejercicio fiscal | año fiscal | ejercicio fiscal de | ejercicio presupuestal",
            "short": "af | ef | fy",
        },
        Kind.FEAST: FEASTS["es"],
        Kind.SAME_TIME: {None: SAME_TIME["es"]},
        Kind.THIS: {
            None: (
                "este | esta | el presente | la presente | el actual | la actual | el año en curso de | en curso"
                " | corriente | actual | presente | ese mismo"
            )
        },
        Kind.NEXT: {
            "counts": (
                "próximo | próxima | que viene | siguiente | entrante | venidero | venidera | el próximo | la próxima"
                " | el siguiente | la siguiente"
            )
        },
        Kind.COMING: {
            None: (
                "próximos | próximas | los próximos | las próximas | siguientes | venideros | venideras"
                " | los siguientes | las siguientes"
            )
        },
        Kind.LAST: {
            "before": (
                "más temprano este | más temprano esta | lo que va de | lo que va del | lo que va de este"
                " | lo que va de esta"
            ),
            "that": "ese | aquel",  # "en julio de ese año": of a year that was told of
            "last": "último | última | últimos | últimas",
            None: "próximo pasado | próxima pasada | pasado | pasada | pasados | pasadas | anterior",
        },
        Kind.LATER: {
            None: (
                "más adelante en | más tarde en | más adelante | más tarde | lo que resta de | lo que resta del"
                " | el resto de | el resto del"
            )
        },
        Kind.FEW: {
            None: "pocos | pocas | algunos | algunas | varios | varias | unos | unas | unos cuantos | unas cuantas"
        },
        Kind.ONWARD: {
            None: (
                "en adelante | y en adelante | y más adelante | y más allá | y posteriormente | y después"
                " | y años posteriores | y los años siguientes | y años siguientes | y a partir de entonces"
                " | y a futuro"
            )
        },
        Kind.TRAILING: {"latest": "o antes | si no antes", "earliest": "o después | o más tarde"},
        Kind.DEADLINE: {
            None: "fecha límite | la fecha límite | fecha tope | la fecha tope | vencimiento | plazo | fecha de cierre"
        },
        Kind.AND_A_HALF: {None: "y medio | y media"},
        Kind.YEARLY: {
            None: (
                "presupuesto | presupuestos | presupuesto de egresos | previsión | previsiones | pronóstico"
                " | pronósticos"
                " | calendario | programa de trabajo | plan de trabajo | lineamientos | proyecciones"
            )
        },
        Kind.MOST: {None: "mayor | menor | peor | mejor | más"},
        Kind.OFTEN: {
            12: (
                "anualmente | una vez al año | con carácter anual | de manera anual | de forma anual"
                " | con periodicidad anual"
            ),
            6: "semestralmente | dos veces al año | de manera semestral | con carácter semestral",
            3: "trimestralmente | cuatro veces al año | de manera trimestral",
            1: "mensualmente | semanalmente | una vez al mes | de manera mensual | diariamente",
            24: "bienalmente | un año sí y otro no | año por medio | con carácter bienal | de manera bienal",
            36: "trienalmente",
            60: "quinquenalmente",
            0: "periódicamente | regularmente | de manera regular | con regularidad | de forma periódica",
        },
        Kind.VAGUE: {
            None: (
                "a mediano plazo | a medio plazo | a largo plazo | a corto plazo | en el mediano plazo"
                " | en el largo plazo | en el corto plazo | en un futuro próximo | en un futuro cercano"
                " | en el futuro cercano | en el futuro próximo | lo antes posible | cuanto antes | a la brevedad"
                " | a la brevedad posible | en breve | próximamente | pronto | sin demora | oportunamente"
                " | en su momento | en el futuro | con el tiempo | en un plazo razonable"
                " | dentro de un plazo razonable | tan pronto como sea posible | al mediano plazo | de inmediato"
                " | sin dilación | hasta nuevo aviso"
            )
        },
        Kind.EVENT: {
            "summit": "cumbre | cumbre de líderes",
            "own-summit": "cumbre de líderes de américa del norte | clan | cumbre de líderes de norteamérica | nals",
            "other": (
                "reunión | conferencia | período de sesiones | periodo de sesiones | entrada en vigor"
                " | fecha de entrada en vigor | firma | adopción | ratificación | elección | diálogo"
                " | revisión | revisión conjunta | publicación | conferencia de las partes | cop"
                " | reunión ministerial | aniversario | elecciones | balance mundial | sesión"
                " | fecha de su entrada en vigor | su entrada en vigor | conclusión | promulgación | expedición"
            ),
            "body": "g20 | g7 | g8 | foro | asamblea",
        },
        Kind.HERE: {
            None: (
                "hoy | esta declaración | la fecha de esta declaración | la presente declaración"
                " | la fecha de la presente declaración | ahora | este comunicado | la fecha del presente"
                " | la fecha de este comunicado | la fecha"
            )
        },
        Kind.MEASURE: {
            None: (
                "% | por ciento | niveles | toneladas | personas | muertes | empleos | kilómetros | hectáreas"
                " | dólares | pesos | millones | km | mw | gw | empresas | vehículos | estudiantes | refugiados"
                " | trabajadores | comunidades"
            )
        },
        Kind.MINIMUM: {
            None: ("al menos | por lo menos | como mínimo | un mínimo de | no menos de | un máximo de"),
            "about": "aproximadamente | alrededor de | alrededor del | cerca de | en torno a | en torno al",
        },
        Kind.GLUE: {
            "of": "de | del",
            None: (
                "el | la | los | las | lo | su | sus | nuestro | nuestra | mes de | el mes de | del día"
                " | nuestros | la fecha de | fecha de"
            ),
        },
        Kind.AND: {None: "y | o | e | u"},
    },
    day_first=True,
)
