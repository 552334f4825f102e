//! Where things lie: the programs of this build, installed programs, and the cache of the rigs.

use std::env;
use std::path::PathBuf;

use rustix::fs::statvfs;
use tempfile::TempDir;

const MEMORY: &str = "/dev/shm";
/// A disk, its copies and the log of its writes, for tests that run at the same time.
const MEMORY_NEEDED: u64 = 2 << 30;

/// The folder of this build's programs, such as `target/debug`: the one that the running test or program came from.
pub fn build_folder() -> PathBuf {
    let program = env::current_exe().expect("the path of the running program");
    let folder = program.parent().expect("a program lies in a folder");
    let is_inner = folder.ends_with("deps") || folder.ends_with("examples");
    match folder.parent() {
        Some(outer) if is_inner => outer.to_owned(),
        _ => folder.to_owned(),
    }
}

/// The folder, made if need be, where rigs keep what is costly to make: `rigs` beside the folder of the build.
pub fn cache_folder() -> PathBuf {
    let build = build_folder();
    let folder = build.parent().unwrap_or(&build).join("rigs");
    std::fs::create_dir_all(&folder).unwrap_or_else(|e| panic!("{} cannot be made: {e}", folder.display()));
    folder
}

/// A new folder in memory if there is room for what the rigs put there, else beside the build: for disks and files that need
/// not survive anything, and which others who use the same real disk would only make slow.
///
/// # Panics
/// When it cannot be made.
pub fn quick_folder() -> TempDir {
    let free = statvfs(MEMORY).map_or(0, |memory| memory.f_bavail.saturating_mul(memory.f_frsize));
    let made = if free >= MEMORY_NEEDED { tempfile::tempdir_in(MEMORY) } else { tempfile::tempdir_in(cache_folder()) };
    made.unwrap_or_else(|e| panic!("a temporary folder cannot be made: {e}"))
}

/// A program of this workspace: the path in the environment variable, else the one in this build's folder.
///
/// # Panics
/// When it is not there.
pub fn built_program(name: &str, package: &str, variable: &str) -> PathBuf {
    let path = match env::var_os(variable) {
        Some(path) => PathBuf::from(path),
        None => build_folder().join(name),
    };
    assert!(
        path.is_file(),
        "{} is not there: build it first with `cargo build -p {package}`, or name another one in {variable}",
        path.display()
    );
    path
}

/// An installed program, looked for in PATH and in the system folders that a user's PATH often lacks.
///
/// # Panics
/// When it is not installed.
pub fn installed_program(name: &str, debian_package: &str) -> PathBuf {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path)
        .chain(["/usr/sbin".into(), "/sbin".into()])
        .map(|folder| folder.join(name))
        .find(|candidate| candidate.is_file())
        .unwrap_or_else(|| panic!("{name} is not installed: apt-get install --no-install-recommends {debian_package}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cache_lies_beside_the_build() {
        assert!(!build_folder().ends_with("deps"));
        assert_eq!(cache_folder().parent(), build_folder().parent());
    }

    #[test]
    fn an_installed_program_is_found() {
        assert!(installed_program("setpriv", "util-linux").is_absolute());
    }

    #[test]
    #[should_panic(expected = "apt-get install --no-install-recommends some-package")]
    fn a_missing_program_names_its_package() {
        installed_program("no-such-program", "some-package");
    }

    #[test]
    #[should_panic(expected = "cargo build -p some-package")]
    fn a_program_not_built_says_how() {
        built_program("no-such-program", "some-package", "NO_SUCH_VARIABLE");
    }
}
