#!/usr/bin/env python3
"""Holds scripts/imports.py to what it says: a circle of each form fails it, and what is none does not."""

import subprocess
import sys
import tempfile
from pathlib import Path

CHECK = Path(__file__).resolve().parent.parent / "scripts" / "imports.py"

# Each a crate of files a and b, of which b uses a by `use crate::a::A;` and a uses b in one more form.
CIRCLES = {
    "use of crate": {"a.rs": "use crate::b::B;"},
    "use of super": {"a.rs": "use super::b::B;"},
    "use in braces": {"a.rs": "use super::{b::{self, B as Other}};"},
    "use of a module": {"a.rs": "use super::b; fn f() -> b::B { b::B }"},
    "path in the middle of code": {"a.rs": "fn f() { let _ = crate::b::B; }"},
    "path from super": {"a.rs": "fn f(_: &super::b::B) {}"},
    "path in an inner module": {"a.rs": "mod inner { fn f(_: super::super::b::B) {} }"},
    "path in a macro": {"a.rs": "macro_rules! m { () => { $crate::b::B } }"},
    "re-export": {"a.rs": "pub use crate::b::B;"},
    "re-export of the root": {"lib.rs": "mod a; mod b; pub use b::B;", "a.rs": "use crate::B;"},
    "re-export of everything": {"lib.rs": "mod a; mod b; pub use b::*;", "a.rs": "use super::B;"},
    "item of the root": {"lib.rs": "mod a; mod b; use a::A; fn f() {}", "a.rs": "fn g() { crate::f() }"},
    "folder": {
        "lib.rs": "mod a; mod b; mod c;",
        "a.rs": "use crate::b::one::One;",
        "b/mod.rs": "mod one; mod two;",
        "b/one.rs": "pub struct One;",
        "b/two.rs": "use crate::c::C;",
        "c.rs": "use crate::a::A; pub struct C;",
    },
    "in a folder": {
        "a.rs": "",
        "b/mod.rs": "mod one; mod two; pub struct B;",
        "b/one.rs": "use super::two::Two; pub struct One;",
        "b/two.rs": "use super::one::One; pub struct Two;",
    },
}
WELL = {
    "one way": {},
    "for tests alone": {"a.rs": "#[cfg(test)] mod tests { use crate::b::B; } #[cfg(all(test, unix))] use crate::b::B;"},
    "in a comment or a text": {
        "a.rs": '/* use crate::b::B; /* */ */ // crate::b::B\n/// [B](crate::b::B)\nconst C: &str = r#"crate::b::B"#;'
    },
    "who may see it": {"a.rs": "pub(in crate::b) struct D;"},
    "of another crate": {"a.rs": "use other::b::B; use ::b::B; fn f<'b>(_: &'b u32) { std::mem::take(&mut 'b'); }"},
    "a folder that re-exports": {
        "a.rs": "",
        "b/mod.rs": "mod one; mod two; pub use one::One; pub use two::Two; use crate::a::A;",
        "b/one.rs": "pub struct One;",
        "b/two.rs": "use crate::b::One; pub struct Two;",
    },
}


def check(files):
    crate = {"lib.rs": "mod a; mod b;", "a.rs": "", **files}
    if "b/mod.rs" not in files:
        crate["b.rs"] = "use crate::a::A; pub struct B;"
    crate["a.rs"] += "\npub struct A;"
    with tempfile.TemporaryDirectory() as directory:
        for name, text in crate.items():
            file = Path(directory, "src", name)
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
        return subprocess.run([sys.executable, CHECK, directory], capture_output=True, text=True)


def main():
    wrong = []
    for is_circle, crates in ((True, CIRCLES), (False, WELL)):
        for name, files in crates.items():
            done = check(files)
            # By what it says, too: a script that breaks off is no check.
            if done.returncode != int(is_circle) or ("a circle: " in done.stdout) != is_circle:
                wrong.append(f"{name}: {'a circle is not seen' if is_circle else 'what is none is'}\n{done.stdout}{done.stderr}")
    with tempfile.TemporaryDirectory() as directory:
        Path(directory, "src").mkdir()
        Path(directory, "src", "lib.rs").write_text("")
        if subprocess.run([sys.executable, CHECK, directory], capture_output=True).returncode == 0:
            wrong.append("a directory without any import passes")
    print("\n".join(wrong) or f"{len(CIRCLES)} circles seen, {len(WELL)} crates without one passed")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
