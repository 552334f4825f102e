//! What a running gateway costs, as the kernel counts it, and what it is given.

use std::fs;

use rustix::process::{Pid, setpriority_process};

use super::Gateway;

/// The least that there is.
const NICEST: i32 = 19;

impl Gateway {
    /// Processor time it has used since it was started, in seconds: all threads, user and system.
    pub fn cpu_seconds(&self) -> f64 {
        let stat = self.proc_file("stat");
        let (_, fields) = stat.rsplit_once(") ").expect("the stat line of a process");
        // `utime` and `stime`, the 14th and 15th field; the name before was the second.
        let ticks: u32 = fields.split(' ').skip(11).take(2).map(|ticks| ticks.parse::<u32>().expect("ticks")).sum();
        f64::from(ticks) / rustix::param::clock_ticks_per_second() as f64
    }

    /// Memory it has in use now (resident), in bytes.
    pub fn rss_bytes(&self) -> u64 {
        let status = self.proc_file("status");
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("a running gateway");
        let kibibytes: u64 = line.trim().trim_end_matches(" kB").parse().expect("a number of kB");
        kibibytes * 1024
    }

    /// From now on all its threads get only the processor time that nobody else wants.
    pub fn be_last(&self) {
        let id = self.process.as_ref().expect("start the gateway first").id();
        for thread in fs::read_dir(format!("/proc/{id}/task")).expect("a running gateway") {
            let name = thread.expect("a thread").file_name();
            let thread = name.to_str().and_then(|name| name.parse().ok()).and_then(Pid::from_raw);
            setpriority_process(thread, NICEST).expect("its priority can be set");
        }
    }

    fn proc_file(&self, name: &str) -> String {
        let id = self.process.as_ref().expect("start the gateway first").id();
        fs::read_to_string(format!("/proc/{id}/{name}")).expect("a running gateway")
    }
}
