//! The header that C programs include is made of this crate's sources, and the committed one is that.
//!
//! To bring it up to date: `LEASEHOLD_UPDATE=1 cargo test -p leasehold-c --test header`.

use std::path::Path;
use std::{env, fs};

#[test]
fn the_committed_header_is_the_generated_one() {
    let crate_dir = Path::new(env!("CARGO_MANIFEST_DIR"));
    let generated = Path::new(env!("CARGO_TARGET_TMPDIR")).join("leasehold.h");
    let committed = crate_dir.join("include/leasehold.h");

    let mut config = cbindgen::Config::from_file(crate_dir.join("cbindgen.toml")).unwrap();
    config.after_includes = Some(version_macros());
    cbindgen::Builder::new()
        .with_crate(crate_dir)
        .with_config(config)
        .generate()
        .unwrap()
        .write_to_file(&generated);

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

fn version_macros() -> String {
    format!(
        "
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
