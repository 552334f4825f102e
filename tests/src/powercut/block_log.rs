//! The log of a disk: the format of the kernel's dm-log-writes, which `qemu-storage-daemon` writes too.
//!
//! All numbers are little-endian. The first sector has the magic, the version, the count of entries and the size of a sector.
//! Then come entries: a sector with place, length, flags and a length that is not used here; then the bytes, if it has any.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

const MAGIC: u64 = 0x006a_7366_7773_6872;
const SECTOR_BYTES: u64 = 512;
const FLUSH: u64 = 1;
const FUA: u64 = 2;
const DISCARD: u64 = 4;

/// One entry of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// Where in the log it begins, in bytes.
    pub log_offset: u64,
    /// Where on the disk it writes, in bytes.
    pub offset: u64,
    /// How many bytes it writes; 0 for one that writes nothing.
    pub bytes: u64,
    /// Everything before it is on the disk.
    pub is_flush: bool,
    /// It is on the disk itself before it is answered.
    pub is_through: bool,
}

/// A log that is complete.
#[derive(Debug)]
pub struct BlockLog {
    file: File,
    entries: Vec<Entry>,
}

impl BlockLog {
    /// Reads the entries of a log, not what they write.
    ///
    /// # Errors
    /// When the file cannot be read, or is no such log.
    pub fn read(path: &Path) -> io::Result<BlockLog> {
        let file = File::open(path)?;
        let end = file.metadata()?.len();
        let [magic, _, _, sector_bytes] = words(&file, 0)?;
        if magic != MAGIC || sector_bytes & 0xffff_ffff != SECTOR_BYTES {
            return Err(io::Error::other(format!("{} is no log of a disk with sectors of 512 bytes", path.display())));
        }
        let mut entries = Vec::new();
        let mut offset = SECTOR_BYTES;
        while offset + SECTOR_BYTES <= end {
            let words = words(&file, offset)?;
            if words == [0; 4] {
                break;
            }
            let entry = Entry::new(offset, words);
            offset = entry.log_offset + SECTOR_BYTES + entry.bytes;
            entries.push(entry);
        }
        Ok(BlockLog { file, entries })
    }

    /// Its entries, in order.
    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// Writes what an entry has to an image of the disk.
    ///
    /// # Errors
    /// Those of the files.
    pub fn apply(&self, entry: &Entry, image: &File) -> io::Result<()> {
        let mut bytes = vec![0; usize::try_from(entry.bytes).map_err(io::Error::other)?];
        self.file.read_exact_at(&mut bytes, entry.log_offset + SECTOR_BYTES)?;
        image.write_all_at(&bytes, entry.offset)
    }
}

impl Entry {
    fn new(log_offset: u64, [sector, sectors, flags, _]: [u64; 4]) -> Entry {
        // To leave out a discard is allowed: the disk may keep what nobody needs.
        let bytes = if flags & DISCARD == 0 { sectors * SECTOR_BYTES } else { 0 };
        let [is_flush, is_through] = [FLUSH, FUA].map(|flag| flags & flag != 0);
        Entry { log_offset, offset: sector * SECTOR_BYTES, bytes, is_flush, is_through }
    }
}

fn words(file: &File, offset: u64) -> io::Result<[u64; 4]> {
    let mut bytes = [0; 32];
    file.read_exact_at(&mut bytes, offset)?;
    let word = |at: usize| {
        let mut word = [0; 8];
        word.copy_from_slice(&bytes[8 * at..8 * at + 8]);
        u64::from_le_bytes(word)
    };
    Ok([word(0), word(1), word(2), word(3)])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sector(words: [u64; 4]) -> Vec<u8> {
        let mut sector: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
        sector.resize(512, 0);
        sector
    }

    fn log(sectors: &[Vec<u8>]) -> io::Result<BlockLog> {
        let file = tempfile::NamedTempFile::new()?;
        std::fs::write(file.path(), sectors.concat())?;
        BlockLog::read(file.path())
    }

    #[test]
    fn entries_are_read_and_applied() -> io::Result<()> {
        let first = sector([MAGIC, 1, 4, 512]);
        let data = vec![7; 1024];
        let entries = [sector([3, 2, FUA, 0]), data, sector([0, 9, DISCARD, 0]), sector([0, 0, FLUSH, 0])];
        let log = log(&[&[first], &entries[..]].concat())?;
        let [write, discard, flush] = log.entries() else { panic!("{log:?}") };
        assert_eq!((write.offset, write.bytes, write.is_through, write.is_flush), (1536, 1024, true, false));
        assert_eq!((discard.bytes, flush.bytes, flush.is_flush, flush.log_offset), (0, 0, true, 512 * 5));
        let image = tempfile::tempfile()?;
        log.apply(write, &image)?;
        let mut bytes = [0; 1024];
        image.read_exact_at(&mut bytes, 1536)?;
        assert_eq!(bytes, [7; 1024]);
        Ok(())
    }

    #[test]
    fn another_file_is_refused() {
        assert!(log(&[sector([1, 1, 4, 512])]).is_err());
    }
}
