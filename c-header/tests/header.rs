//! The header that C programs include is made of this crate's sources, and the committed one is that: cbindgen writes the declarations,
//! each of which stands where `leasehold.h.in` has its name. That file has all other text, and the order.
//!
//! To bring it up to date: `LEASEHOLD_UPDATE=1 cargo test -p leasehold-c --test header`.

use std::collections::BTreeMap;
use std::path::Path;
use std::{env, fs};

#[test]
fn the_committed_header_is_the_generated_one() {
    let crate_dir = Path::new(env!("CARGO_MANIFEST_DIR"));
    let generated = Path::new(env!("CARGO_TARGET_TMPDIR")).join("leasehold.h");
    let committed = crate_dir.join("include/leasehold.h");

    let template = fs::read_to_string(crate_dir.join("leasehold.h.in")).unwrap();
    let mut declarations = by_name(&declarations_of(crate_dir));
    declarations.insert("VERSION".to_owned(), version_macros());
    fs::write(&generated, filled(&template, declarations)).unwrap();

    if env::var_os("LEASEHOLD_UPDATE").is_some() {
        fs::copy(&generated, &committed).unwrap();
    }
    let read = |path: &Path| fs::read_to_string(path).unwrap_or_default();
    assert!(
        read(&generated) == read(&committed),
        "{} differs from {}; bring it up to date as the head of this test says",
        committed.display(),
        generated.display()
    );
}

/// All that the sources declare, with a blank line between one and the next.
fn declarations_of(crate_dir: &Path) -> String {
    let mut text = Vec::new();
    cbindgen::Builder::new()
        .with_crate(crate_dir)
        .with_config(cbindgen::Config::from_file(crate_dir.join("cbindgen.toml")).unwrap())
        .generate()
        .unwrap()
        .write(&mut text);
    String::from_utf8(text).unwrap()
}

fn by_name(declarations: &str) -> BTreeMap<String, String> {
    declarations
        .split("\n\n")
        .map(str::trim)
        .filter(|declaration| !declaration.is_empty())
        .map(|declaration| {
            let name = name_of(declaration);
            let declaration = with_tag(declaration, &name);
            (name, declaration)
        })
        .collect()
}

/// A struct or enum with a tag of its type's name, so that a program can declare it by itself. What cbindgen does when it is asked for tags
/// is to name every type by its tag wherever one is used.
fn with_tag(declaration: &str, name: &str) -> String {
    declaration
        .replacen("typedef struct {", &format!("typedef struct {name} {{"), 1)
        .replacen("typedef enum {", &format!("typedef enum {name} {{"), 1)
}

/// What a declaration declares: a macro, a type, or a function by itself or as a callback's type.
fn name_of(declaration: &str) -> String {
    let is_comment = |line: &&str| line.starts_with("/**") || line.starts_with(" *");
    let code: Vec<_> = declaration.lines().skip_while(is_comment).collect();
    let code = code.join("\n");
    let name = if let Some(definition) = code.strip_prefix("#define ") {
        definition.split(' ').next()
    } else if code.ends_with("};") || code.contains("} ") {
        code.trim_end_matches(';').rsplit(' ').next()
    } else {
        let before = code.replace("(*", " ").replace(')', "(");
        let before = before.split('(').next().unwrap().to_owned();
        return before.rsplit([' ', '*']).next().unwrap().to_owned();
    };
    name.unwrap().to_owned()
}

/// The template with each `@NAME@` replaced. Each declaration is placed, and once.
fn filled(template: &str, mut declarations: BTreeMap<String, String>) -> String {
    let mut header = String::new();
    for line in template.lines() {
        let name = line
            .strip_prefix('@')
            .and_then(|rest| rest.strip_suffix('@'));
        let text = name.map(|name| {
            declarations.remove(name).unwrap_or_else(|| {
                panic!("leasehold.h.in places {name}, which is not declared, or twice")
            })
        });
        header.push_str(text.as_deref().unwrap_or(line));
        header.push('\n');
    }
    let left: Vec<_> = declarations.keys().collect();
    assert!(left.is_empty(), "leasehold.h.in has no place for {left:?}");
    header
}

fn version_macros() -> String {
    format!(
        "\
/** The version of this header. */
#define LH_VERSION_MAJOR {major}
#define LH_VERSION_MINOR {minor}
#define LH_VERSION_PATCH {patch}
#define LH_VERSION_TEXT \"{text}\"
/** The same as one number that grows: compare it with lh_version_number(). */
#define LH_VERSION_NUMBER ((LH_VERSION_MAJOR << 16) | (LH_VERSION_MINOR << 8) | LH_VERSION_PATCH)",
        text = env!("CARGO_PKG_VERSION"),
        major = env!("CARGO_PKG_VERSION_MAJOR"),
        minor = env!("CARGO_PKG_VERSION_MINOR"),
        patch = env!("CARGO_PKG_VERSION_PATCH"),
    )
}
