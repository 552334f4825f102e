//! Every file of ARCHITECTURE.md's map exists.
//!
//! The map is the first fenced block with a line that begins with `gateway`. In each line, the words before the first
//! two spaces are paths. A line that is not indented begins at the top level; if its first word is a folder (`queue/`),
//! the indented lines below it lie in that folder. `{a,b}` stands for both; what has a `<` or `*` in it is a pattern and
//! is not looked up.

use crate::files::{assert_none, top};

const PAGE: &str = "ARCHITECTURE.md";

/// The lines of the map, without its fences.
fn map_lines(page: &str) -> Vec<&str> {
    let blocks = page.split("\n```").skip(1).step_by(2);
    let is_map = |block: &&str| block.lines().skip(1).any(|line| line.starts_with("gateway"));
    // The first line of a block is the rest of its fence.
    let lines = blocks.into_iter().find(is_map).map(|block| block.lines().skip(1));
    lines.into_iter().flatten().collect()
}

/// The paths that a map names, from the top level.
fn mapped_paths(page: &str) -> Vec<String> {
    let mut folder = "";
    let mut paths = Vec::new();
    for line in map_lines(page) {
        let words = words_of(line);
        if line.starts_with(' ') {
            paths.extend(words.map(|word| format!("{folder}{word}")));
        } else {
            let first = line.split_whitespace().next().unwrap_or("");
            folder = if first.ends_with('/') { first } else { "" };
            paths.extend(words.map(str::to_owned));
        }
    }
    paths.iter().flat_map(|path| expand(path)).collect()
}

/// The words of a line's first column that are paths, not patterns.
fn words_of(line: &str) -> impl Iterator<Item = &str> {
    let column = line.trim_start().split("  ").next().unwrap_or("");
    let is_path = |word: &&str| word.contains(['/', '.']) && !word.contains(['<', '*']);
    column.split_whitespace().filter(is_path)
}

/// `a/{b,c}.rs` is `a/b.rs` and `a/c.rs`.
fn expand(path: &str) -> Vec<String> {
    let parts = path.split_once('{').and_then(|(before, rest)| {
        let (inside, after) = rest.split_once('}')?;
        Some((before, inside, after))
    });
    match parts {
        Some((before, inside, after)) => {
            inside.split(',').map(|one| format!("{before}{}{after}", one.trim())).collect()
        }
        None => vec![path.to_owned()],
    }
}

#[test]
fn every_file_of_the_map_exists() {
    let page =
        std::fs::read_to_string(top().join(PAGE)).unwrap_or_else(|e| panic!("{PAGE} must be at the top level: {e}"));
    let paths = mapped_paths(&page);
    assert!(
        paths.len() >= 5,
        "{PAGE}: no map; it is the first fenced block with a line that begins with `gateway`, one path a line"
    );
    let missing: Vec<_> = paths
        .iter()
        .filter(|path| !top().join(path).exists())
        .map(|path| format!("{PAGE}: its map names {path}, which does not exist"))
        .collect();
    assert_none(&missing);
}

#[test]
fn a_map_is_read() {
    let page = "\
# Map

```toml
other = 1
```

```
Cargo.toml  README.md  LICENSE-*   the workspace
config/             the file, checked
  src/lib.rs        load. And more
  src/{a,b}.rs      sections
queue/src/store.rs  the store
gateway/            the program
  src/main.rs src/cli.rs  arguments
  src/i2c/<part>.rs       one file a part
```

after.rs
";
    let expected = [
        "Cargo.toml",
        "config/",
        "config/src/lib.rs",
        "config/src/a.rs",
        "config/src/b.rs",
        "queue/src/store.rs",
        "gateway/",
        "gateway/src/main.rs",
        "gateway/src/cli.rs",
    ];
    assert_eq!(mapped_paths(page), expected);
    assert!(mapped_paths("no map\n\n```\nother/\n```\n").is_empty());
}
