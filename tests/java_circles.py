#!/usr/bin/env python3
"""Holds scripts/java_circles.py to what it says: a circle of each form fails it, a reference to a layer further up, a name given twice."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

CHECK = Path(__file__).resolve().parent.parent / "scripts" / "java_circles.py"

# Each a class A, beside which there is a class B that uses A: what A has of B, of the same package and without an import.
CIRCLES = {
    "a_field": "B b;",
    "a_result": "B b() { return null; }",
    "a_parameter": "void f(B b) {}",
    "a_local": "Object f() { return new B(); }",
    "a_call": "void f() { B.g(); }",
    "a_constant_of_an_object": "Object f() { return B.ONE; }",
    "a_cast": "void f(Object o) { o = (B) o; }",
    "an_instanceof": "boolean f(Object o) { return o instanceof B; }",
    "a_class_literal": "Class<?> f() { return B.class; }",
    "an_array": "Object f() { return new B[1]; }",
    "a_type_argument": "java.util.List<B> all;",
    "a_bound": "<T extends B> void f() {}",
    "a_lambda": "Runnable f() { return () -> B.g(); }",
    "a_method_reference": "Runnable f() { return B::g; }",
    "an_exception": "void f() throws B.Failure {}",
    "a_catch": "void f() { try { B.h(); } catch (B.Failure e) { } }",
    "a_nested_class": "class Inner { B b; }",
    "an_annotation": "@B.Mark void f() {}",
    "the_value_of_a_constant": "int f() { return B.NUMBER; }",
}
B = """final class B {
    static final Object ONE = new Object();
    static final int NUMBER = 1;
    A a;
    static class Failure extends Exception {}
    @interface Mark {}
    static void g() {}
    static void h() throws Failure {}
}
"""
WELL = {
    "nothing": "",
    "itself": "A a; class Inner { A a; }",
    "words_in_a_comment": "/** See {@link B}. */ void f() {}",
    "a_text": 'String f() { return "B"; }',
}
HOME = os.environ.get("JAVA_HOME")
JAVAC = os.path.join(HOME, "bin", "javac") if HOME else "javac"


# Layers of the packages of which a class, called as its package, uses that of another, or none: whether they pass.
LAYERS = {
    "downwards": (["one", "two", "three"], {"three": "two", "two": "one"}, True),
    "over_one": (["one", "two", "three"], {"three": "one", "two": "one"}, True),
    "upwards": (["one", "two", "three"], {"two": "three"}, False),
    "beside": (["one two", "three"], {"two": "one"}, False),
    "not_beside": (["one", "two three"], {"two": "one", "three": "one"}, True),
    "unlisted": (["one", "two"], {"two": "one"}, False),
    "without_classes": (["one", "two", "three", "four"], {"two": "one"}, False),
}


def check(directory, layers):
    run = subprocess.run([CHECK, "--layers", layers, directory], stdout=subprocess.PIPE, text=True)
    return run.returncode == 0, run.stdout


def compile_all(place, sources):
    subprocess.run([JAVAC, "-nowarn", "-proc:none", "-d", place, *sources], check=True)


def check_layers(place):
    """The layers that are taken for others than they are."""
    for name, (lines, uses, passes) in LAYERS.items():
        home = place / name
        for each in "one", "two", "three":
            source = home / "src" / each
            source.mkdir(parents=True)
            used = f"{uses[each]}.{uses[each].title()} used;" if each in uses else ""
            (source / f"{each.title()}.java").write_text(f"package {each};\npublic class {each.title()} {{ {used} }}\n")
        compile_all(home / "out", home.glob("src/*/*.java"))
        layers = home / "layers.txt"
        layers.write_text("# these\n" + "\n".join(lines) + "\n")
        if check(home / "out", layers)[0] != passes:
            yield f"{name}: {'fails' if passes else 'passes'}"


def check_names(place):
    """Whether a class is noticed that is called as one of another package, and one that may be is not."""
    for package, name in ("one", "Same"), ("two", "Same"), ("two", "Other"), ("one", "LeaseholdManager"), ("two", "LeaseholdManager"):
        source = place / "src" / package
        source.mkdir(parents=True, exist_ok=True)
        (source / f"{name}.java").write_text(f"package {package};\npublic class {name} {{ class Nested {{ }} }}\n")
    compile_all(place / "out", place.glob("src/*/*.java"))
    layers = place / "layers.txt"
    layers.write_text("one\ntwo\n")
    passes, said = check(place / "out", layers)
    for name in "Same", "LeaseholdManager":
        if passes or f"one name for one.{name} and two.{name}" not in said:
            yield f"a name given twice, {name}: not noticed"
    layers.write_text("one two\n")
    said = check(place / "out", layers)[1]
    if "one name for one.Same and two.Same" not in said or "LeaseholdManager" in said:
        yield "names given twice in one layer: not told apart"
    (place / "out" / "one").rename(place / "one")
    layers.write_text("two\n")
    if not check(place / "out", layers)[0]:
        yield "a nested class called as another: taken for a name given twice"


def main():
    failures = []
    with tempfile.TemporaryDirectory() as place:
        place = Path(place)
        forms = {**CIRCLES, **WELL}
        for name, body in forms.items():
            source = place / "src" / name
            source.mkdir(parents=True)
            (source / "A.java").write_text(f"package {name};\nclass A {{ {body} }}\n")
            (source / "B.java").write_text(f"package {name};\n{B}")
        # Over the packages' borders, by way of three.
        for name, next_name in ("one", "two"), ("two", "three"), ("three", "one"):
            source = place / "src" / name
            source.mkdir(parents=True)
            (source / "C.java").write_text(f"package {name};\npublic class C {{ {next_name}.C next; }}\n")
        compile_all(place / "out", place.glob("src/*/*.java"))

        layers = place / "layers.txt"
        layers.write_text(" ".join([*forms, "one", "two", "three"]) + "\n")
        said = check(place / "out", layers)[1]
        for name in forms:
            if (f"{name}.A uses {name}.B" in said) != (name in CIRCLES):
                failures.append(f"{name}: {'not noticed' if name in CIRCLES else 'taken for a circle'}")
        if "one.C uses two.C" not in said:
            failures.append("over the borders of packages: not noticed")
        # A circle fails by itself, within one package, where no layer is left.
        alone = place / "alone"
        alone.mkdir()
        (place / "out" / "a_field").rename(alone / "a_field")
        layers.write_text("a_field\n")
        if check(alone, layers)[0]:
            failures.append("it passes although there is a circle")
        failures += check_layers(place / "layers")
        failures += check_names(place / "names")
    for failure in failures:
        print(failure)
    print(f"{len(CIRCLES) + 1} forms of a circle, {len(WELL)} that are none, {len(LAYERS)} of layers: {len(failures)} failed")
    sys.exit(bool(failures))


main()
