#!/usr/bin/env python3
"""Checks that each snippet of README.md and of a Javadoc marked `<!-- from FILE -->` stands in FILE, which a test compiles and runs."""

import html
import pathlib
import re
import sys
import textwrap

root = pathlib.Path(__file__).resolve().parent.parent
snippets = [
    ("README.md", *found)
    for found in re.findall(r"<!-- from (\S+) -->\n```\w*\n(.*?)```", (root / "README.md").read_text(), re.S)
]
if not snippets:
    sys.exit("README.md has no snippet marked with its file")
for source in root.glob("java-bindings/*/src/main/java/**/*.java"):
    comments = re.sub(r"^ *\* ?", "", source.read_text(), flags=re.M)
    for file, snippet in re.findall(r"<!-- from (\S+) -->\n<pre>\n(.*?)</pre>", comments, re.S):
        snippets.append((source.relative_to(root), file, html.unescape(snippet)))

failed = 0
for where, file, snippet in snippets:
    lines = (root / file).read_text().splitlines()
    length = len(snippet.splitlines())
    windows = (textwrap.dedent("\n".join(lines[start : start + length])) for start in range(len(lines)))
    if snippet.strip() not in (window.strip() for window in windows):
        failed += 1
        print(f"{where}: this is not in {file}:\n{snippet}", file=sys.stderr)
print(f"snippets: {len(snippets) - failed} passed, {failed} failed")
sys.exit(failed > 0)
