"""One class, one name: whoever reads a name in a trace knows which module it is from."""

import ast
from collections import defaultdict

from tests.architecture.modules import modules, tree


def test_every_class_name_stands_in_one_module() -> None:
    places = defaultdict[str, set[str]](set)
    for name, path in modules().items():
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.ClassDef):
                places[node.name].add(name)

    assert {name: sorted(where) for name, where in places.items() if len(where) > 1} == {}
