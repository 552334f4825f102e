//! The machine that was measured, without which numbers mean nothing.

use std::fs;
use std::thread::available_parallelism;

/// Cores, processor, memory and kernel.
pub fn facts() -> String {
    let cores = available_parallelism().map_or(0, usize::from);
    let kernel = rustix::system::uname();
    let gibibytes = rustix::system::sysinfo().totalram as f64 / f64::from(1 << 30);
    format!(
        "machine: {cores} cores ({}), {gibibytes:.1} GiB, {} {} {}",
        processor().unwrap_or_else(|| "of unknown name".to_owned()),
        kernel.sysname().to_string_lossy(),
        kernel.release().to_string_lossy(),
        kernel.machine().to_string_lossy()
    )
}

fn processor() -> Option<String> {
    let text = fs::read_to_string("/proc/cpuinfo").ok()?;
    let line = text.lines().find(|line| line.starts_with("model name") || line.starts_with("Model"))?;
    line.split_once(':').map(|(_, name)| name.trim().to_owned())
}
