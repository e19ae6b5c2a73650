//! What the crate's sources offer to callers, as the matrix is to know it: calls, and the code of theirs that these ask for.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use crate::faults::Piece;

/// Public types that hold nothing of a caller's and call nothing.
const VALUES: [&str; 14] = [
    "Clock",
    "Counters",
    "Entry",
    "Histogram",
    "HistogramRange",
    "LeaseError",
    "ManualClock",
    "Metrics",
    "Policy",
    "Reuse",
    "Situation",
    "Stats",
    "Use",
    "Watching",
];

/// What a type may be asked to be by a bound, or a call by an argument, and the piece that it is.
const ASKED: [(&str, Option<Piece>); 18] = [
    ("Eq", Some(Piece::KeyEq)),
    ("Hash", Some(Piece::KeyHash)),
    ("Borrow", Some(Piece::KeyBorrow)),
    ("Clone", Some(Piece::KeyClone)),
    ("AsFd", Some(Piece::AsFd)),
    ("FnOnce", Some(Piece::Connect)),
    ("Future", Some(Piece::Opening)),
    (
        "Fn of usable_when_readable",
        Some(Piece::UsableWhenReadable),
    ),
    ("Fn of is_usable", Some(Piece::IsUsable)),
    ("FnMut of retain", Some(Piece::IsKept)),
    ("Fn of watch_by", Some(Piece::Descriptor)),
    ("AsRef", Some(Piece::StateName)),
    // Of a waker, by `Future::poll`'s own signature.
    ("Context", Some(Piece::WakerWake)),
    // What only says where something may go.
    ("Send", None),
    ("Sync", None),
    ("'static", None),
    // Called by who formats a connection, with nothing of the pool's under way.
    ("fmt::Debug", None),
    ("Debug", None),
];

/// The text of the crate's own face, without its tests.
fn sources() -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let files = fs::read_dir(folder).unwrap();
    let texts = files.filter_map(|file| {
        let path = file.unwrap().path();
        if cfg!(not(feature = "metrics")) && path.ends_with("publisher.rs") {
            return None;
        }
        let text = path.is_file().then(|| fs::read_to_string(path).unwrap())?;
        Some(text.split("#[cfg(test)]").next()?.to_owned())
    });
    let texts: Vec<String> = texts.collect();
    assert!(texts.len() > 10, "the sources were moved");
    texts
}

/// The types that the crate's root exports.
fn types(sources: &[String]) -> BTreeSet<String> {
    let exports = sources.iter().flat_map(|text| text.lines());
    let exports = exports.filter(|line| line.starts_with("pub use "));
    let names = exports.flat_map(|line| {
        let names = line.rsplit("::").next().unwrap();
        names.split(|c: char| !c.is_alphanumeric())
    });
    let types = names.filter(|name| name.starts_with(char::is_uppercase));
    let types = types.filter(|name| !VALUES.contains(name));
    types.map(str::to_owned).collect()
}

/// Each `impl` block: its head, and its body.
fn blocks(text: &str) -> impl Iterator<Item = (&str, &str)> {
    text.split("\nimpl").skip(1).map(|block| {
        let block = block.split("\n}").next().unwrap();
        block.split_once('{').unwrap_or((block, ""))
    })
}

/// A path's or a bound's name, without what is written in angle brackets.
fn bare(name: &str) -> &str {
    let name = name.trim().trim_start_matches('&');
    name.split(['<', '(', ' ', '\n']).next().unwrap()
}

/// The text behind the generics that it begins with.
fn behind_generics(text: &str) -> &str {
    let mut depth = 0;
    for (at, c) in text.char_indices() {
        match c {
            '<' => depth += 1,
            '>' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return &text[at + usize::from(c == '>')..];
        }
    }
    text
}

/// Every public method of an exported type, as `Type::method`, and every trait that the crate itself makes such a type of, as
/// `Trait for Type`.
pub(crate) fn calls() -> BTreeSet<String> {
    let sources = sources();
    let types = types(&sources);
    let mut calls = BTreeSet::new();
    for (head, body) in sources.iter().flat_map(|text| blocks(text)) {
        let head = behind_generics(head);
        if let Some((name, of)) = head.split_once(" for ") {
            let name = bare(name).rsplit("::").next().unwrap();
            if types.contains(bare(of)) && name != "Unpin" {
                calls.insert(format!("{name} for {}", bare(of)));
            }
        } else if types.contains(bare(head)) {
            let methods = body.split("\n    pub fn ").skip(1);
            calls.extend(methods.map(|method| format!("{}::{}", bare(head), bare(method))));
        }
    }
    calls
}

/// The pieces of a caller's code that bounds and arguments of the exported types ask for.
pub(crate) fn pieces() -> BTreeSet<Piece> {
    let sources = sources();
    let types = types(&sources);
    let mut asked = BTreeSet::new();
    for (head, body) in sources.iter().flat_map(|text| blocks(text)) {
        let of = behind_generics(head);
        let of = of.split_once(" for ").map_or(of, |(_, of)| of);
        if !types.contains(bare(of)) {
            continue;
        }
        let signatures = body.split("\n    pub fn ").skip(1);
        let signatures = signatures.map(|method| method.split(['{', ';']).next().unwrap());
        let polls = body.split("fn poll").skip(1);
        let polls = polls.map(|method| method.split('{').next().unwrap());
        for text in signatures.chain(polls).chain([head]) {
            for by in ["K: ", "C: ", "F: ", "impl "] {
                for bounds in text.split(by).skip(1) {
                    let bounds = bounds.split([',', '>', '{', '\n', ')']).next().unwrap();
                    asked.extend(bounds.split('+').map(|bound| match bare(bound) {
                        // Each call's closure is another piece.
                        closure @ ("Fn" | "FnMut") => format!("{closure} of {}", bare(text)),
                        bound => bound.to_owned(),
                    }));
                }
            }
            if text.contains("Context<") {
                asked.insert("Context".to_owned());
            }
        }
    }
    asked.remove("");
    let piece_of = |asked: &String| {
        let known = ASKED.iter().find(|(name, _)| name == asked);
        known
            .unwrap_or_else(|| panic!("which piece of a caller's code is {asked}?"))
            .1
    };
    asked.iter().filter_map(piece_of).collect()
}
