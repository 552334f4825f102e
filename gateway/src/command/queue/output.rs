//! Where an export goes: standard output, or a file that has its name only when it is whole and durable.

use super::failure::Failure;
use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

/// Has `work` write to `target`; `-` is standard output. A file is written beside its place, as `FILE.part`, synced and then
/// renamed; when `work` fails, nothing is left and what was there before stays. What is there and is no file, such as a
/// device or a pipe, is written to as it is: a rename would take its place. A link stays, and the file that it names is
/// replaced.
pub fn write_to<T>(target: &Path, work: impl FnOnce(&mut dyn Write) -> Result<T, Failure>) -> Result<T, Failure> {
    if target == Path::new("-") {
        return write_through(io::stdout().lock(), work);
    }
    if fs::metadata(target).is_ok_and(|found| !found.is_file()) {
        return write_through(File::options().write(true).open(target).map_err(Failure::at(target))?, work);
    }
    let target = &fs::canonicalize(target).unwrap_or_else(|_| target.to_owned());
    let part = part_of(target);
    let written = write_part(&part, work);
    let placed = written.and_then(|done| place(&part, target).map_err(Failure::at(target)).map(|()| done));
    if placed.is_err() {
        let _ = fs::remove_file(&part);
    }
    placed
}

fn write_through<T>(out: impl Write, work: impl FnOnce(&mut dyn Write) -> Result<T, Failure>) -> Result<T, Failure> {
    let mut out = BufWriter::new(out);
    let done = work(&mut out)?;
    out.flush()?;
    Ok(done)
}

fn part_of(target: &Path) -> PathBuf {
    let mut name = OsString::from(target);
    name.push(".part");
    name.into()
}

fn write_part<T>(part: &Path, work: impl FnOnce(&mut dyn Write) -> Result<T, Failure>) -> Result<T, Failure> {
    let mut out = BufWriter::new(File::create(part).map_err(Failure::at(part))?);
    let done = work(&mut out)?;
    let file = out.into_inner().map_err(|error| Failure::at(part)(error.into_error()))?;
    file.sync_all().map_err(Failure::at(part))?;
    Ok(done)
}

fn place(part: &Path, target: &Path) -> io::Result<()> {
    fs::rename(part, target)?;
    let folder = target.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exit::Exit;

    /// As root, a rename would make a file of `/dev/null`.
    #[test]
    fn a_device_stays_a_device_and_a_link_a_link() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        rustix::fs::mkfifoat(rustix::fs::CWD, path("pipe"), rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR).unwrap();
        let reader = {
            let pipe = path("pipe");
            std::thread::spawn(move || fs::read(pipe).unwrap())
        };
        write_to(&path("pipe"), |out| Ok(out.write_all(b"through")?)).unwrap();
        assert_eq!(reader.join().unwrap(), b"through");
        fs::write(path("file"), "old").unwrap();
        std::os::unix::fs::symlink("file", path("link")).unwrap();
        write_to(&path("link"), |out| Ok(out.write_all(b"new")?)).unwrap();
        assert!(fs::symlink_metadata(path("link")).unwrap().is_symlink());
        assert_eq!(
            (fs::read(path("file")).unwrap(), fs::read_dir(folder.path()).unwrap().count()),
            (b"new".to_vec(), 3)
        );
    }

    #[test]
    fn a_file_has_its_name_only_when_it_is_whole() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("queue.ndjson");
        let names = || fs::read_dir(folder.path()).unwrap().count();
        write_to(&target, |out| Ok(out.write_all(b"first")?)).unwrap();
        assert_eq!((fs::read(&target).unwrap(), names()), (b"first".to_vec(), 1));
        let failed: Result<(), _> = write_to(&target, |out| {
            out.write_all(b"half")?;
            Err(Failure::new(Exit::Storage, "no"))
        });
        assert!(failed.is_err());
        assert_eq!((fs::read(&target).unwrap(), names()), (b"first".to_vec(), 1));
    }
}
