import ast
from pathlib import Path

import exporter.simulator


def imports(source):
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom):
            yield f"{'.' * node.level}{node.module or ''}"
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


def test_it_knows_nothing_of_the_rest():
    for path in Path(exporter.simulator.__file__).parent.glob("*.py"):
        for module in imports(path.read_text()):
            inside = f"{module}.".startswith("exporter.simulator.")
            assert inside or not module.startswith(("exporter", ".")), f"{path.name}: {module}"
