#!/usr/bin/env python3
"""Checks that each snippet of README.md marked `<!-- from FILE -->` stands in FILE, which a test compiles and runs."""

import pathlib
import re
import sys
import textwrap

root = pathlib.Path(__file__).resolve().parent.parent
snippets = re.findall(r"<!-- from (\S+) -->\n```\w*\n(.*?)```", (root / "README.md").read_text(), re.S)
if not snippets:
    sys.exit("README.md has no snippet marked with its file")

failed = 0
for file, snippet in snippets:
    lines = (root / file).read_text().splitlines()
    length = len(snippet.splitlines())
    windows = (textwrap.dedent("\n".join(lines[start : start + length])) for start in range(len(lines)))
    if snippet.strip() not in (window.strip() for window in windows):
        failed += 1
        print(f"README.md: this is not in {file}:\n{snippet}", file=sys.stderr)
print(f"README: {len(snippets) - failed} passed, {failed} failed")
sys.exit(failed > 0)
