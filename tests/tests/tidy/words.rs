//! Words that must not stand in the project: marks of unfinished work, and paths of somebody's own machine.
//!
//! The words are put together from pieces, so that this file does not find itself.

use crate::files::{TextFile, assert_none, finds, is_of_a_name, text_files};

fn unfinished() -> Vec<String> {
    [["TO", "DO"], ["FIX", "ME"], ["X", "XX"]].map(|pieces| pieces.concat()).to_vec()
}

fn unfinished_macros() -> Vec<String> {
    [["to", "do!"], ["unimple", "mented!"]].map(|pieces| pieces.concat()).to_vec()
}

fn machine_folders() -> Vec<String> {
    ["work", "root", "home"].map(|name| format!("/{name}/")).to_vec()
}

fn unfinished_breaches(file: &TextFile) -> Vec<String> {
    let name = file.path.rsplit('/').next().unwrap_or("");
    let is_read = name == "Makefile" || [".rs", ".md", ".sh"].iter().any(|end| name.ends_with(end));
    let words = unfinished();
    let macros = unfinished_macros();
    let has_one = |line: &str| {
        words.iter().any(|word| stands_alone(line, word)) || macros.iter().any(|word| begins_alone(line, word))
    };
    let rule = "unfinished work; finish it or write an issue";
    if is_read { lines_with(file, has_one, rule) } else { vec![] }
}

fn machine_breaches(file: &TextFile) -> Vec<String> {
    let folders = machine_folders();
    let has_one = |line: &str| folders.iter().any(|folder| is_absolute(line, folder));
    lines_with(file, has_one, "a path of one machine; the project must not know where it lies")
}

fn lines_with(file: &TextFile, has_one: impl Fn(&str) -> bool, rule: &str) -> Vec<String> {
    file.lines()
        .filter(|(_, line)| has_one(line))
        .map(|(number, line)| format!("{}:{number}: {rule}: {}", file.path, line.trim()))
        .collect()
}

fn stands_alone(line: &str, word: &str) -> bool {
    finds(line, word).any(|(before, after)| !before.ends_with(is_of_a_name) && !after.starts_with(is_of_a_name))
}

fn begins_alone(line: &str, word: &str) -> bool {
    finds(line, word).any(|(before, _)| !before.ends_with(is_of_a_name))
}

/// A path that begins here, not the middle of a longer one such as the path of an address.
fn is_absolute(line: &str, folder: &str) -> bool {
    let is_of_a_path = |c: char| is_of_a_name(c) || "-./~}".contains(c);
    finds(line, folder).any(|(before, _)| !before.ends_with(is_of_a_path))
}

#[test]
fn no_work_is_left_unfinished() {
    let breaches: Vec<_> = text_files().iter().flat_map(unfinished_breaches).collect();
    assert_none(&breaches);
}

#[test]
fn no_file_names_a_path_of_one_machine() {
    let breaches: Vec<_> = text_files().iter().flat_map(machine_breaches).collect();
    assert_none(&breaches);
}

#[test]
fn unfinished_work_is_found_where_it_is_read() {
    let found = |path: &str, text: &str| unfinished_breaches(&TextFile::new(path, text)).len();
    for word in unfinished().iter().chain(&unfinished_macros()) {
        let text = format!("first line\n// {word}: later");
        for path in ["a/b.rs", "README.md", "Makefile", "tests/setup.sh"] {
            assert_eq!(found(path, &text), 1, "{word} in {path}");
        }
        assert_eq!(found("Cargo.lock", &text), 0);
    }
    // As in the name of a temporary file.
    let longer = format!("mktemp /tmp/a.{}", unfinished()[2].repeat(2));
    assert_eq!(found("a.sh", &longer), 0);
}

#[test]
fn a_machine_path_is_found_with_its_line() {
    let found = |text: &str| machine_breaches(&TextFile::new("docs/a.md", text));
    for folder in machine_folders() {
        let said = found(&format!("fine\ncd {folder}somewhere"));
        assert!(matches!(said.as_slice(), [one] if one.starts_with("docs/a.md:2: ")), "{said:?}");
        assert_eq!(found(&format!("\"{folder}x\"")).len(), 1);
        assert!(found(&format!("https://example.org{folder}x and $HOME{folder}x")).is_empty());
    }
}
