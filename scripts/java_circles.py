#!/usr/bin/env python3
"""References among the classes of a Java library run one way: prints every circle, and fails if there is one that is not known.

usage: scripts/java_circles.py [--known FILE] CLASSES-DIRECTORY...

A class uses another when its byte code names it, as the JDK's own jdeps reads it: in a body, a signature, a field, a generic type or an
annotation, of the same package or of another. A nested class counts as the one that it is in. ArchUnit would tell the same, by way of a
library of its own and a test that loads every class; jdeps is there wherever Java is.

FILE names the classes that are in a circle still, one a line. A class that gets into one fails, and so does one that is named there
without need, so that the list only gets shorter.
"""

import collections
import os
import re
import subprocess
import sys

from circles import circles_in

NESTED = re.compile(r"\$.*")


def jdeps():
    home = os.environ.get("JAVA_HOME")
    return os.path.join(home, "bin", "jdeps") if home else "jdeps"


def uses_in(directory):
    """Which classes of a directory name which other classes of it."""
    command = [jdeps(), "-verbose:class", "-filter:none", directory]
    said = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    uses = collections.defaultdict(set)
    for user, used in re.findall(r"^ +(\S+) +-> (\S+)", said, re.M):
        uses[NESTED.sub("", user)].add(NESTED.sub("", used))
    return {user: {other for other in used if other in uses and other != user} for user, used in uses.items()}


def main(arguments):
    known = set()
    if arguments[:1] == ["--known"]:
        with open(arguments[1]) as file:
            known = {line.strip() for line in file if line.strip() and not line.startswith("#")}
        arguments = arguments[2:]
    if not arguments:
        sys.exit(__doc__)
    found, classes = set(), 0
    failed = False
    for directory in arguments:
        uses = uses_in(directory)
        if not uses:
            sys.exit(f"{directory} has no classes")
        classes += len(uses)
        for circle in circles_in(uses):
            found.update(circle)
            if not known.issuperset(circle):
                failed = True
                print(f"a circle of {len(circle)} classes, with new ones: {', '.join(sorted(set(circle) - known))}")
                for each in circle:
                    print(f"    {each} uses {', '.join(sorted(uses[each].intersection(circle)))}")
    for each in sorted(known - found):
        failed = True
        print(f"{each} is in no circle any more: take it from the list")
    print(f"{classes} classes, {len(found)} in circles, of which {len(known)} are known")
    sys.exit(failed)


main(sys.argv[1:])
