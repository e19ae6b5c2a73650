#!/usr/bin/env python3
"""Checks what the documents say against the files they speak of, and against each other: snippets, the version, promises, charts, the names of tests and files.

A snippet of a page or of a Javadoc marked `<!-- from FILE -->` stands in FILE, which a test compiles and runs. Every artifact, and every
coordinate in a page or an example, has the one version that there is; it is a snapshot as long as the changelog calls it unreleased.
"""

import html
import pathlib
import re
import subprocess
import sys
import tempfile
import textwrap

root = pathlib.Path(__file__).resolve().parent.parent
pages = [root / "README.md", *sorted((root / "docs").glob("*.md"))]
failures = []


def name(file):
    return file.relative_to(root)


def check_snippets():
    snippets = []
    for page in pages:
        for file, snippet in re.findall(r"<!-- from (\S+) -->\n```\w*\n(.*?)```", page.read_text(), re.S):
            snippets.append((page, file, snippet))
    # What a reader may copy from the README is quoted from a program, or builds one in tests/snippets.py.
    for before, language in re.findall(r"^(.*)\n```(\w+)$", pages[0].read_text(), re.M):
        if not re.fullmatch(r"<!-- (from|builds) \S+ -->", before):
            failures.append(f"README.md has a {language} block of which no test knows, after: {before}")
    for source in root.glob("java-bindings/*/src/main/java/**/*.java"):
        comments = re.sub(r"^ *\* ?", "", source.read_text(), flags=re.M)
        for file, snippet in re.findall(r"<!-- from (\S+) -->\n<pre>(?:\{@code)?\n(.*?)\}?</pre>", comments, re.S):
            snippets.append((source, file, html.unescape(snippet)))
    for where, file, snippet in snippets:
        lines = (root / file).read_text().splitlines()
        length = len(snippet.splitlines())
        windows = (textwrap.dedent("\n".join(lines[start : start + length])) for start in range(len(lines)))
        if snippet.strip() not in (window.strip() for window in windows):
            failures.append(f"{name(where)}: this is not in {file}:\n{snippet}")
    return len(snippets)


def check_version():
    version = re.search(r'^version = "(.*)"', (root / "Cargo.toml").read_text(), re.M).group(1)
    is_released = f"## [{version}]" in (root / "CHANGELOG.md").read_text()
    if is_released == version.endswith("-SNAPSHOT"):
        failures.append(f"CHANGELOG.md and the version {version} do not agree on whether that is released")
    places = [*pages, *root.glob("examples/**/*.gradle"), *root.glob("examples/**/*.xml")]
    coordinates = 0
    for place in places:
        text = place.read_text()
        named = re.findall(r"io\.leasehold:[\w-]+:([\w.-]+\w)", text)
        named += re.findall(r"<groupId>io\.leasehold</groupId>\s*<artifactId>[\w-]+</artifactId>\s*<version>(.*?)</version>", text)
        coordinates += len(named)
        for other in set(named) - {version}:
            failures.append(f"{name(place)} names version {other}, what is built is {version}")
    return coordinates


def check_promises():
    """The promises of the README are those of the page that says by what they hold, word for word."""
    section = re.search(r"^## Promises\n(.*?)^\S*\[docs/promises", (root / "README.md").read_text(), re.S | re.M).group(1)
    told = [" ".join(item.split()) for item in re.findall(r"^- (.*?)(?=^- |\Z)", section, re.S | re.M)]
    shown = re.findall(r"^\| (.*?) \|", (root / "docs/promises.md").read_text(), re.M)[2:]
    for promise in set(told) ^ set(shown):
        failures.append(f"in only one of README.md and docs/promises.md: {promise}")
    return len(told)


def check_charts():
    for chart in (root / "docs").glob("*.svg"):
        run = chart.with_suffix(".json")
        with tempfile.NamedTemporaryFile() as file:
            subprocess.run([root / "bench/chart.py", run, file.name], check=True)
            drawn = pathlib.Path(file.name).read_text()
        if drawn != chart.read_text():
            failures.append(f"{name(chart)} is not what bench/chart.py draws of {name(run)}")


def check_names():
    """Every test and every file that a page names is there."""
    tests = {file.stem for pattern in ("java-bindings/*/src/test/**/*Test.java", "tests/*/src/test/**/*Test.java") for file in root.glob(pattern)}
    developers = [root / name for name in ("ARCHITECTURE.md", "CONTRIBUTING.md", "bench/README.md")]
    for page in [*pages, *developers]:
        text = page.read_text()
        for test in set(re.findall(r"`([A-Z]\w+Test)`", text)) - tests:
            failures.append(f"{name(page)} names the test {test}, which is not there")
        for file in set(re.findall(r"`((?:rust-core|c-header|java-bindings|tests|bench|examples|scripts|docs)/[\w/.-]+)`", text)):
            if not (root / file).exists():
                failures.append(f"{name(page)} names {file}, which is not there")
        for link in set(re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", text)):
            if not (page.parent / link).exists():
                failures.append(f"{name(page)} links to {link}, which is not there")


def check_walks():
    """Each line of a walk through a face names a file that there is, and what that has. A walk has fifteen lines at most."""
    section = section_of("One hit and one wait, through each face")
    walks = re.findall(r"^\*\*(.+?)\*\*.*\n\n((?:\d+\. .*\n)+)", section, re.M)
    for walk, lines in walks:
        lines = lines.splitlines()
        if len(lines) > 15:
            failures.append(f"ARCHITECTURE.md: the walk '{walk}' has {len(lines)} lines")
        for line in lines:
            file, called = re.match(r"\d+\. `(.+?)`: (.*)", line).groups()
            # One of Java's is named without its folders, as the name alone tells which it is.
            found = list(root.glob(file if "/" in file else f"java-bindings/*/src/main/java/**/{file}"))
            if len(found) != 1:
                failures.append(f"ARCHITECTURE.md: '{walk}' names {file}, of which there are {len(found)}")
                continue
            text = found[0].read_text()
            for name in re.findall(r"`(\w+)\(\)`", called):
                if not re.search(rf"\b(fn|\w[\w<>\[\], ?]*) (\w+_)?{name}(<[^(]*>)?\(", text):
                    failures.append(f"ARCHITECTURE.md: '{walk}' says that {file} has {name}(), which it has not")
    return len(walks)


def check_invariants():
    """The invariants are numbered one after the other, code refers to none but those, and to each of them."""
    listed = [int(number) for number in re.findall(r"^- \*\*I(\d+)\*\*", section_of("Invariants"), re.M)]
    if listed != list(range(1, len(listed) + 1)):
        failures.append(f"ARCHITECTURE.md numbers its invariants {listed}")
    named = set()
    sources = [root / "rust-core/src", root / "c-header/src", root / "java-bindings"]
    for file in (file for folder in sources for ending in ("rs", "java") for file in folder.rglob(f"*.{ending}")):
        for number in re.findall(r"\bI(\d+)\b", file.read_text()):
            named.add(int(number))
            if int(number) not in listed:
                failures.append(f"{name(file)} refers to the invariant I{number}, which there is not")
    for number in set(listed) - named:
        failures.append(f"no code refers to the invariant I{number}")
    return len(listed)


def section_of(title):
    return re.search(rf"^## {title}\n(.*?)(?=^## |\Z)", (root / "ARCHITECTURE.md").read_text(), re.S | re.M).group(1)


check_charts()
check_names()
walks, invariants = check_walks(), check_invariants()
snippets, coordinates, promises = check_snippets(), check_version(), check_promises()
for failure in failures:
    print(failure, file=sys.stderr)
print(
    f"{snippets} snippets, {coordinates} coordinates, {promises} promises, {walks} walks, {invariants} invariants: {len(failures)} failed"
)
sys.exit(bool(failures))
