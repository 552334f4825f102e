//! The text files of the project.

use std::fs;
use std::path::{Path, PathBuf};

/// Folders that are not the project's own text: the build, git, and what a fuzzer writes.
const FOREIGN: [&str; 5] = ["target", ".git", "corpus", "artifacts", "coverage"];

/// One text file: where it lies, from the top level with `/`, and what it says.
pub struct TextFile {
    pub path: String,
    pub text: String,
}

impl TextFile {
    pub fn new(path: &str, text: &str) -> Self {
        let (path, text) = (path.to_owned(), text.to_owned());
        Self { path, text }
    }

    /// Each line with its number, counted from 1.
    pub fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        self.text.lines().enumerate().map(|(at, line)| (at + 1, line))
    }

    pub fn is_rust(&self) -> bool {
        self.path.ends_with(".rs")
    }

    /// The crate `tests/`, and the `tests` folder of another crate.
    pub fn is_in_a_tests_folder(&self) -> bool {
        self.path.split('/').any(|part| part == "tests")
    }
}

/// The folder with the workspace's `Cargo.toml`.
pub fn top() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace is around this crate").to_owned()
}

/// Every file below the top level that is text.
pub fn text_files() -> Vec<TextFile> {
    let mut found = Vec::new();
    collect(&top(), "", &mut found);
    found
}

fn collect(folder: &Path, prefix: &str, found: &mut Vec<TextFile>) {
    for entry in fs::read_dir(folder).expect("a folder of the project") {
        let entry = entry.expect("an entry of a folder of the project");
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = format!("{prefix}{name}");
        let kind = entry.file_type().expect("the kind of an entry");
        if kind.is_dir() && !FOREIGN.contains(&name.as_str()) {
            collect(&entry.path(), &format!("{path}/"), found);
        } else if kind.is_file() {
            // What is not UTF-8 is not text, and a file of an editor may be gone again.
            let text = fs::read_to_string(entry.path()).ok();
            found.extend(text.map(|text| TextFile { path, text }));
        }
    }
}

/// Fails with every breach when there is one.
#[track_caller]
pub fn assert_none(breaches: &[String]) {
    assert!(breaches.is_empty(), "\n{}", breaches.join("\n"));
}

/// The part of a text around one find of a word: what stands before it and what after.
pub fn finds<'a>(text: &'a str, word: &str) -> impl Iterator<Item = (&'a str, &'a str)> {
    let length = word.len();
    text.match_indices(word).map(move |(at, _)| (&text[..at], &text[at + length..]))
}

/// Whether a name could go on with this character.
pub fn is_of_a_name(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

#[test]
fn the_project_is_found_without_the_build() {
    let files = text_files();
    let has = |path: &str| files.iter().any(|file| file.path == path);
    assert!(has("Cargo.toml") && has("tests/tests/tidy/files.rs") && has(".ci/run"));
    assert!(!files.iter().any(|file| file.path.starts_with("target/")));
}
