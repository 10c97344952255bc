"""What a person sees of an issue's text: its elements, links, tables and words.

A Markdown renderer that others made, with GitHub's tables and its line breaks. HTML is let through, as
GitHub does, so that a hidden line has to be hidden by itself.
"""

import json
import sys
from html.parser import HTMLParser

from markdown_it import MarkdownIt


class Shown(HTMLParser):
    def __init__(self):
        super().__init__()
        self.elements, self.links, self.tables, self.words = set(), [], [], []
        self.in_table = False

    def handle_starttag(self, tag, attributes):
        self.elements.add(tag)
        if tag == "a":
            self.links.append(dict(attributes)["href"])
        elif tag == "table":
            self.in_table = True
            self.tables.append([])
        elif tag == "tr":
            self.tables[-1].append([])
        elif tag in ("td", "th"):
            self.tables[-1][-1].append("")

    def handle_endtag(self, tag):
        if tag == "table":
            self.in_table = False

    def handle_data(self, data):
        self.words.append(data)
        if self.in_table and data.strip():
            self.tables[-1][-1][-1] += data


shown = Shown()
with open(sys.argv[1], encoding="utf-8") as file:
    renderer = MarkdownIt("commonmark", {"html": True, "breaks": True}).enable("table")
    shown.feed(renderer.render(file.read()))
shown.close()
found = {
    "elements": sorted(shown.elements),
    "links": shown.links,
    "tables": shown.tables,
    "words": "".join(shown.words),
}
json.dump(found, sys.stdout)
