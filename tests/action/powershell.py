"""Says where PowerShell scripts cannot be parsed: powershell.py FILE... It does not run them."""

import sys

import tree_sitter
import tree_sitter_powershell

parser = tree_sitter.Parser(tree_sitter.Language(tree_sitter_powershell.language()))
wrong = []
for path in sys.argv[1:]:
    with open(path, "rb") as file:
        text = file.read()
    # Windows PowerShell reads a file without a byte order mark in the machine's own code page.
    if not text.isascii():
        wrong.append(f"{path}: not all of it is ASCII")
    nodes = [parser.parse(text).root_node]
    while nodes:
        node = nodes.pop()
        if node.is_error or node.is_missing:
            line, column = node.start_point
            wrong.append(f"{path}:{line + 1}:{column + 1}: not PowerShell")
        nodes.extend(node.children)
sys.exit("\n".join(wrong) if wrong else 0)
