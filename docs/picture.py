#!/usr/bin/env python3
"""Draws a terminal's output as SVG, for the README.

    script -qec 'stty rows 50 cols 100; target/debug/noentry demo 2>/dev/null' /dev/null | tr -d '\r' |
        python3 docs/picture.py > docs/demo.svg

Needs the Python package rich (14.1 was used).
"""

import io
import re
import sys

from rich.console import Console
from rich.text import Text

console = Console(record=True, width=102, file=io.StringIO(), force_terminal=True)
console.print("[bold]$[/bold] cargo run -- demo")
console.print(Text.from_ansi(sys.stdin.read()))
svg = console.export_svg(title="noentry demo")
# The fonts would come from a server of somebody else's; the reader's own monospace will do.
sys.stdout.write(re.sub(r"@font-face \{.*?\}\s*", "", svg, flags=re.S))
