#!/usr/bin/env python3
"""Imports among the files of a crate run one way: prints every circle, and fails if there is one.

usage: scripts/imports.py CRATE-DIRECTORY...

A file uses another when a path in it leads there: in `use`, re-exported or not, or in the middle of code; from `crate`, from `super`, from
`self` or from a module's name. What a module re-exports is followed to the file that defines it, so a folder's `mod.rs` that only
re-exports is used by nobody. Files and folders that lie side by side in one folder must not use each other in a circle, a folder
standing for all that is in it: so there is an order in which every import runs downwards. What is there for tests alone may look
anywhere and is passed over. A call of a method names no file, so it is not seen; whoever calls one has the type from somewhere.

cargo-modules would tell the same, but is made of rust-analyzer: it wants a newer compiler than this project does, and longer to build
than all else that `./dev check` runs.
"""

import re
import sys
from pathlib import Path

from circles import circles_in

TOKEN = re.compile(
    r"""(?P<skip>\s+|//[^\n]*)
      |(?P<block>/\*)
      |(?P<raw>b?r(?P<hashes>\#*)")
      |(?P<string>b?c?"(?:\\.|[^"\\])*")
      |(?P<char>b?'(?:\\(?:u\{[^}]*\}|x..|.)|[^'\\])')
      |(?P<word>(?:r\#)?[A-Za-z_]\w*)
      |(?P<sign>::|.)""",
    re.VERBOSE | re.DOTALL,
)
DEFINES = {"fn", "struct", "enum", "union", "trait", "type", "const", "static"}


def tokens_of(text):
    """The text's words and signs with the lines they are on; no comments, no literals."""
    at, line, found = 0, 1, []
    while at < len(text):
        match = TOKEN.match(text, at)
        end = match.end()
        if match["block"]:
            depth = 1
            while depth and end < len(text):
                depth += {"/*": 1, "*/": -1}.get(text[end : end + 2], 0)
                end += 2 if text[end : end + 2] in ("/*", "*/") else 1
        elif match["raw"] is not None:
            end = text.index('"' + match["hashes"], end) + 1 + len(match["hashes"])
        elif match["word"] or match["sign"]:
            found.append((match[0], line))
        line += text.count("\n", at, end)
        at = end
    return found


def closing(tokens, at):
    """The place after the bracket that closes the one at a place."""
    pairs = {"{": "}", "[": "]", "(": ")"}
    opened, depth = tokens[at][0], 0
    while True:
        depth += {opened: 1, pairs[opened]: -1}.get(tokens[at][0], 0)
        at += 1
        if depth == 0:
            return at


def item_end(tokens, at):
    """The place after the item that begins at a place."""
    while tokens[at][0] != ";":
        if tokens[at][0] == "{":
            after = closing(tokens, at)
            # The braces of a `use` are in the middle of it.
            if after < len(tokens) and tokens[after][0] == ";":
                return after + 1
            return after
        at = closing(tokens, at) if tokens[at][0] in "[(" else at + 1
    return at + 1


def without_tests(tokens):
    kept, at = [], 0
    while at < len(tokens):
        if tokens[at][0] == "#" and at + 1 < len(tokens) and tokens[at + 1][0] == "[":
            end = closing(tokens, at + 1)
            words = [token for token, _ in tokens[at + 2 : end - 1]]
            # `not(test)` is not for tests.
            if words[:2] == ["cfg", "("] and "test" in words and "not" not in words[: words.index("test")]:
                at = end
                while tokens[at][0] == "#":
                    at = closing(tokens, at + 1)
                at = item_end(tokens, at)
                continue
        kept.append(tokens[at])
        at += 1
    return kept


class Module:
    def __init__(self, parent, file):
        self.parent, self.file = parent, file
        self.children, self.defined = {}, set()
        # What a name was imported as, and modules all of whose names were: paths, from this module.
        self.imported, self.globs = {}, []

    def root(self):
        return self.parent.root() if self.parent else self


class Crate:
    def __init__(self, directory):
        self.sources = Path(directory) / "src"
        self.paths = []
        self.root = Module(None, self.sources / "lib.rs")
        self.read(self.root, self.sources)

    def read(self, module, folder):
        self.read_items(module, folder, without_tests(tokens_of(module.file.read_text())))

    def read_items(self, module, folder, tokens):
        at = 0
        while at < len(tokens):
            token, line = tokens[at]
            following = tokens[at + 1][0] if at + 1 < len(tokens) else ""
            if token == "mod" and re.match(r"\w", following):
                at = self.read_module(module, folder, tokens, at + 1)
            elif token == "use":
                end = item_end(tokens, at)
                for path, name in use_tree([token for token, _ in tokens[at + 1 : end - 1]]):
                    self.paths.append((module, path, line))
                    if name == "*":
                        module.globs.append(path)
                    else:
                        module.imported[name] = path
                at = end
            elif token in DEFINES and re.match(r"\w", following):
                module.defined.add(tokens[at + 2][0] if following in ("unsafe", "extern", "fn", "mut") else following)
                at += 1
            elif token == "macro_rules":
                module.defined.add(tokens[at + 2][0])
                at += 1
            elif re.match(r"[A-Za-z_]", token) and following == "::" and (at == 0 or tokens[at - 1][0] != "::"):
                path, start = [token], at
                while at + 2 < len(tokens) and tokens[at + 1][0] == "::" and re.match(r"\w", tokens[at + 2][0]):
                    path.append(tokens[at + 2][0])
                    at += 2
                # Who may see an item, in `pub(in path)`, is no use of it.
                if [token for token, _ in tokens[max(0, start - 2) : start]] != ["(", "in"]:
                    self.paths.append((module, path, line))
                at += 1
            else:
                at += 1

    def read_module(self, module, folder, tokens, at):
        name = tokens[at][0]
        if tokens[at + 1][0] == "{":
            end = closing(tokens, at + 1)
            child = Module(module, module.file)
            module.children[name] = child
            self.read_items(child, folder / name, tokens[at + 2 : end - 1])
            return end
        file = folder / f"{name}.rs"
        child = Module(module, file if file.exists() else folder / name / "mod.rs")
        module.children[name] = child
        self.read(child, folder / name)
        return at + 2

    def find(self, module, path, seen=()):
        """The module, or the file of the item, that a path leads to from a module; None outside of the crate."""
        first, rest = path[0], path[1:]
        if first == "crate":
            return self.follow(module.root(), rest, seen)
        if first == "self":
            return self.follow(module, rest, seen)
        if first == "super":
            return self.find(module.parent, ["self", *rest] if rest[:1] != ["super"] else rest, seen)
        return self.follow(module, path, seen, is_certain=False)

    def follow(self, module, path, seen, is_certain=True):
        for place, name in enumerate(path):
            if name in module.children:
                module = module.children[name]
                continue
            if name in module.defined:
                return module.file
            if (module, name) in seen:
                return None
            seen = (*seen, (module, name))
            found = None
            if name in module.imported:
                # What goes by the name of something outside is outside.
                found = self.find(module, module.imported[name], seen)
                if found is None:
                    return None
            for glob in module.globs:
                if found is None:
                    target = self.find(module, glob, seen)
                    if isinstance(target, Module):
                        found = self.follow(target, [name], seen, is_certain=False)
            if isinstance(found, Module):
                module = found
                continue
            if found is None and (is_certain or place > 0):
                return module.file
            return found
        return module

    def uses(self):
        """(file, file it uses) -> the first line that does."""
        found = {}
        for module, path, line in self.paths:
            target = self.find(module, path)
            file = target.file if isinstance(target, Module) else target
            if file and file != module.file:
                edge = (module.file.relative_to(self.sources), file.relative_to(self.sources))
                found.setdefault(edge, line)
        return found


def use_tree(words):
    """The paths of a `use` and the names that they get."""
    if words[:1] == ["::"]:
        return []
    paths, prefix, at = [], [], 0
    while at < len(words) and words[at] != "{":
        if words[at] == "as":
            return [(prefix, words[at + 1])]
        if words[at] == "*":
            return [(prefix, "*")]
        if words[at] != "::":
            prefix.append(words[at])
        at += 1
    if at == len(words):
        if prefix[-1:] == ["self"] and len(prefix) > 1:
            prefix = prefix[:-1]
        return [(prefix, prefix[-1])] if prefix else []
    part, depth = [], 0
    for word in [*words[at + 1 : -1], ","]:
        depth += {"{": 1, "}": -1}.get(word, 0)
        if word == "," and depth == 0:
            if part:
                paths += [(prefix + path, prefix[-1] if name == "self" else name) for path, name in use_tree(part)]
            part = []
        else:
            part.append(word)
    return [(path[:-1] if path[-1] == "self" and len(path) > 1 else path, name) for path, name in paths]


def circles_of(uses):
    """Circles among what lies side by side, each as the lines of a report."""
    folders = {}
    for (user, used), line in uses.items():
        shared = 0
        while user.parts[shared] == used.parts[shared]:
            shared += 1
        graph = folders.setdefault(user.parts[:shared], {})
        places = graph.setdefault(user.parts[shared], {})
        places.setdefault(used.parts[shared], []).append(f"{user}:{line} uses {used}")
    reports = []
    for folder in sorted(folders):
        for circle in circles_in(folders[folder]):
            lines = [place for a in circle for b in circle for place in folders[folder][a].get(b, [])]
            reports.append([f"a circle: {' '.join(str(Path(*folder, name)) for name in circle)}", *lines])
    return reports


def main(directories):
    is_well = True
    for directory in directories:
        uses = Crate(directory).uses()
        if not uses:
            sys.exit(f"{directory}: no import was found; is that the directory of a crate?")
        reports = circles_of(uses)
        is_well &= not reports
        for report in reports:
            print(f"{directory}: " + "\n    ".join(report))
        print(f"{directory}: {len(uses)} imports among its files, {len(reports)} circles")
    return 0 if is_well else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
