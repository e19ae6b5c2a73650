"""Circles in what uses what, for the checks that there are none: scripts/imports.py and scripts/java_circles.py."""


def circles_in(graph):
    """The strongly connected parts of more than one, each sorted. The graph has what each name uses, itself left out."""

    def reached(start):
        found, left = set(), [start]
        while left:
            for name in graph.get(left.pop(), ()):
                if name not in found:
                    found.add(name)
                    left.append(name)
        return found

    reach = {name: reached(name) for name in graph}
    parts = {frozenset(b for b in reach[a] if a in reach.get(b, ())) for a in graph if a in reach[a]}
    return sorted(sorted(part) for part in parts)
