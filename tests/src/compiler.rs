//! C made when it is needed, by the compiler that also links every Rust program.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::artifacts::installed_program;

/// Makes a library that can be loaded before a program.
///
/// # Panics
/// When it cannot be made; with the compiler's words.
#[must_use]
pub fn library(folder: &Path, name: &str, source: &str) -> PathBuf {
    let (source_file, library) = (folder.join(format!("{name}.c")), folder.join(format!("{name}.so")));
    write(&source_file, source);
    let mut compiler = compiler();
    compiler.args(["-shared", "-fPIC", "-O2", "-pthread", "-o"]).arg(&library).arg(&source_file).arg("-ldl");
    run(compiler);
    library
}

/// Makes a program of these files, each with its name; those that end with `.c` are compiled. More arguments, such as
/// libraries, come last.
///
/// # Panics
/// When it cannot be made; with the compiler's words.
#[must_use]
pub fn program(folder: &Path, name: &str, files: &[(&str, &str)], arguments: &[&str]) -> PathBuf {
    let program = folder.join(name);
    let mut compiler = compiler();
    compiler.args(["-std=c11", "-Wall", "-Wextra", "-Werror", "-O1", "-g", "-o"]).arg(&program);
    for (file, text) in files {
        let file = folder.join(file);
        write(&file, text);
        if file.extension().is_some_and(|end| end == "c") {
            compiler.arg(file);
        }
    }
    compiler.args(arguments);
    run(compiler);
    program
}

fn compiler() -> Command {
    Command::new(installed_program("cc", "gcc libc6-dev"))
}

fn write(file: &Path, text: &str) {
    fs::write(file, text).unwrap_or_else(|e| panic!("{} cannot be written: {e}", file.display()));
}

fn run(mut compiler: Command) {
    let output = compiler.output().expect("the C compiler runs");
    assert!(output.status.success(), "{compiler:?}:\n{}", String::from_utf8_lossy(&output.stderr));
}
