//! Power cuts without a machine: everything that a file system writes to its disk is logged, with every flush, and the disk
//! is made again as it may be at any instant of that log. What was flushed is there; of the rest chance drops a half.
//!
//! The disk is a file behind `qemu-storage-daemon`, which logs the writes and flushes that come in over FUSE; a loop device
//! and ext4 lie on top. It takes root and no virtual machine. Every mount lies in a mount namespace of its own, so nothing
//! stays behind, even when a test is killed.

pub mod block_log;
pub mod disk;
pub mod mount;
pub mod replay;
pub mod root;
