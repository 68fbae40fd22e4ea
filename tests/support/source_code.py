"""Source code that the rules of the repository look at: only the nodes that a rule needs, as walking is slow."""

import ast
from collections.abc import Iterator

BLOCKS = ("body", "orelse", "finalbody", "handlers", "cases")


def walk_statements(tree: ast.Module) -> Iterator[ast.AST]:
    """Yield a module and each statement in it, however deep; expressions, which are nine nodes of ten, are left out."""
    nodes: list[ast.AST] = [tree]
    for node in nodes:
        yield node
        for block in BLOCKS:
            nodes += getattr(node, block, ())
