"""The address of a request, as far as it could be read in two ways; decided here for all routes of all services."""

import re
from collections.abc import Collection
from urllib.parse import parse_qsl

from starlette.types import Scope

from services.plumbing.http.faults import Fault
from services.plumbing.http.problems import NOT_FOUND, Problem, ProblemKind
from services.plumbing.sentences import Sentence

AMBIGUOUS_QUERY = ProblemKind(400, "ambiguous-query", Sentence("A query is UTF-8 and names each parameter once"))
UNKNOWN_PARAMETER = ProblemKind(400, "unknown-parameter", Sentence("A query names only parameters that there are"))
_MOST_NAMES, _LONGEST_NAME = 5, 64
_CONTROLS = re.compile(r"[\x00-\x1f\x7f]")
_ENCODED_SLASH = re.compile(rb"%2[fF]")


def refuse_ambiguous_target(scope: Scope) -> None:
    """Raise a problem for an address that others could take for another one.

    404 for a path in which an encoded slash would part segments (RFC 3986, 2.2: it is data, and the server hands it on
    decoded) or a control character would stand; 400 for a query that is no UTF-8, or names a parameter twice: no
    parameter here takes several values, and who looks at the first, who at the last?
    """
    if _ENCODED_SLASH.search(scope.get("raw_path") or b"") or _CONTROLS.search(scope["path"]):
        raise Problem(NOT_FOUND)
    try:
        query = scope["query_string"].decode("ascii")
        names = [name for name, _ in parse_qsl(query, keep_blank_values=True, errors="strict")]
    except ValueError:
        raise Problem(AMBIGUOUS_QUERY) from None
    if len(set(names)) < len(names):
        raise Problem(AMBIGUOUS_QUERY)


def refuse_unknown_parameters(scope: Scope, known: Collection[str]) -> None:
    """Raise a 400 problem for a query that names what its route doesn't know, so that nobody takes it for heard.

    The query has been looked at by `refuse_ambiguous_target`.
    """
    names = [name for name, _ in parse_qsl(scope["query_string"].decode("ascii"), keep_blank_values=True)]
    unknown = [name for name in names if name not in known][:_MOST_NAMES]
    if not unknown:
        return
    listed = ", ".join(sorted(known))
    faults = [
        Fault(
            "unknown-parameter",
            Sentence("There is no parameter %(names)s here; there is %(known)s", names=shown, known=listed)
            if known
            else Sentence("There is no parameter %(names)s here; there is none", names=shown),
            {"parameter": shown},
        )
        for shown in ("".join(c for c in name[:_LONGEST_NAME] if c.isprintable()) for name in unknown)
    ]
    raise Problem(UNKNOWN_PARAMETER, faults=faults)
