"""The numbers and ordinals of Spanish by their names."""

from services.registry.wordings.lexicon import compounds, numbered

_SMALL = numbered(
    "cero un|uno|una dos tres cuatro cinco seis siete ocho nueve diez once doce trece catorce quince dieciséis"
    " diecisiete dieciocho diecinueve veinte veintiuno|veintiún|veintiuna veintidós veintitrés veinticuatro veinticinco"
    " veintiséis veintisiete veintiocho veintinueve"
)
_TENS = {30: "treinta", 40: "cuarenta", 50: "cincuenta", 60: "sesenta", 70: "setenta", 80: "ochenta", 90: "noventa"}
_UNITS = {n: name for n, name in _SMALL.items() if 0 < n < 10}
NUMBERS = _SMALL | _TENS | compounds(_TENS, _UNITS, " y ")
_ORDINAL_UNITS = numbered(
    "primer|primero|primera|primeros|primeras segundo|segunda"
    " tercer|tercero|tercera cuarto|cuarta quinto|quinta sexto|sexta"
    " séptimo|séptima octavo|octava noveno|novena",
    1,
)
_ORDINAL_TENS = {
    10: "décimo|décima",
    20: "vigésimo|vigésima",
    30: "trigésimo|trigésima",
    40: "cuadragésimo|cuadragésima",
    50: "quincuagésimo|quincuagésima",
    60: "sexagésimo|sexagésima",
    70: "septuagésimo|septuagésima",
    80: "octogésimo|octogésima",
}
ORDINALS = _ORDINAL_UNITS | _ORDINAL_TENS | compounds(_ORDINAL_TENS, _ORDINAL_UNITS, " ")
