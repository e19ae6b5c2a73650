#!/usr/bin/env python3
"""References among the classes of the Java libraries run one way: no circle of classes, and none from a package to one further up. And no
two classes have one name, whatever their packages, so that a name says which is meant. What is called Leasehold… is for applications, and
may be called so in packages of one layer: HttpClient's own managers have one name in several generations.

usage: scripts/java_circles.py --layers FILE CLASSES-DIRECTORY...

A class uses another when its byte code names it, as the JDK's own jdeps reads it: in a body, a signature, a field, a generic type or an
annotation, of the same package or of another. A nested class counts as the one that it is in. ArchUnit would tell the same, by way of a
library of its own and a test that loads every class; jdeps is there wherever Java is.

FILE lists the packages, the lowest first. A class may use its own package and those of the lines before; packages of one line do not use
each other. A package that has classes and is not listed fails, and so does one that is listed and has none.
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
    """Which classes each class of a directory names."""
    command = [jdeps(), "-verbose:class", "-filter:none", directory]
    said = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    uses = collections.defaultdict(set)
    for user, used in re.findall(r"^ +(\S+) +-> (\S+)", said, re.M):
        uses[NESTED.sub("", user)].add(NESTED.sub("", used))
    return uses


def package(name):
    return name.rpartition(".")[0]


def layers_of(path):
    """By package the number of its layer, the lowest first."""
    with open(path) as file:
        lines = [line.split() for line in file if line.strip() and not line.startswith("#")]
    return {name: number for number, line in enumerate(lines) for name in line}


def wrong_ways(uses, layers):
    """The references that the layers do not allow, and what is wrong with the list."""
    own = {package(name) for name in uses}
    wrong = [f"{name} is in no layer" for name in sorted(own - layers.keys())]
    wrong += [f"{name} is a layer, and has no classes" for name in sorted(layers.keys() - own)]
    for user in sorted(uses):
        for used in sorted(uses[user]):
            one, other = package(user), package(used)
            if one != other and one in layers and other in layers and layers[one] <= layers[other]:
                wrong.append(f"{user} uses {used}, which is {'beside' if layers[one] == layers[other] else 'above'} it")
    return wrong


def namesakes(uses, layers):
    """The classes that are called as another one, and may not be, by that name."""
    called = collections.defaultdict(list)
    for each in sorted(uses):
        called[each.rpartition(".")[2]].append(each)
    return {
        name: classes
        for name, classes in called.items()
        if len(classes) > 1 and not (name.startswith("Leasehold") and len({layers.get(package(each)) for each in classes}) == 1)
    }


def main(arguments):
    if arguments[:1] != ["--layers"] or len(arguments) < 3:
        sys.exit(__doc__)
    layers = layers_of(arguments[1])
    uses = {}
    for directory in arguments[2:]:
        found = uses_in(directory)
        if not found:
            sys.exit(f"{directory} has no classes")
        uses.update(found)
    circles = circles_in({user: {other for other in used if other in uses and other != user} for user, used in uses.items()})
    for circle in circles:
        print(f"a circle of {len(circle)} classes:")
        for each in circle:
            print(f"    {each} uses {', '.join(sorted(uses[each].intersection(circle) - {each}))}")
    wrong = wrong_ways(uses, layers)
    for each in wrong:
        print(each)
    same = namesakes(uses, layers)
    for classes in same.values():
        print(f"one name for {' and '.join(classes)}")
    print(f"{len(uses)} classes in {len(layers)} packages: {len(circles)} circles, {len(wrong)} references the wrong way, "
          f"{len(same)} names of several classes")
    sys.exit(bool(circles or wrong or same))


main(sys.argv[1:])
