//! Which server answers, and in which version.

use std::fmt;

/// The two families of servers. They share a protocol and most of SQL; what differs is kept by family in one place each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    /// MariaDB.
    MariaDb,
    /// MySQL.
    MySql,
}

/// What a server says of itself: its family and the three numbers of its version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Version {
    /// The family.
    pub family: Family,
    /// Major, minor and patch.
    pub numbers: (u16, u16, u16),
}

impl Family {
    /// The oldest version that has the statements and rights that are used here.
    fn oldest(self) -> (u16, u16, u16) {
        match self {
            // SLAVE MONITOR and BINLOG MONITOR.
            Self::MariaDb => (10, 5, 2),
            // The statements that say source and replica.
            Self::MySql => (8, 0, 26),
        }
    }
}

impl fmt::Display for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::MariaDb => "MariaDB",
            Self::MySql => "MySQL",
        })
    }
}

impl Version {
    /// From the answer to `SELECT VERSION()`, such as `10.11.6-MariaDB-log` or `8.4.3`; none when it has no number.
    pub fn parse(text: &str) -> Option<Self> {
        let family = if text.contains("MariaDB") { Family::MariaDb } else { Family::MySql };
        // Servers that replicas of old ones must not refuse begin with a number that is not theirs.
        let text = if family == Family::MariaDb { text.strip_prefix("5.5.5-").unwrap_or(text) } else { text };
        let mut numbers = text.split(|letter: char| !letter.is_ascii_digit()).map(str::parse);
        let mut next = || numbers.next()?.ok();
        Some(Self { family, numbers: (next()?, next()?, next().unwrap_or(0)) })
    }

    /// Why such a server cannot be used; none when it can.
    pub fn too_old(self) -> Option<String> {
        let (a, b, c) = self.family.oldest();
        (self.numbers < (a, b, c))
            .then(|| format!("this is {self}, and fieldgate needs {} {a}.{b}.{c} or newer", self.family))
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (a, b, c) = self.numbers;
        write!(f, "{} {a}.{b}.{c}", self.family)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn family_and_version_are_told_from_the_servers_words() {
        let said = |text| Version::parse(text).map(|version| version.to_string());
        assert_eq!(said("10.11.6-MariaDB-0+deb12u1-log").as_deref(), Some("MariaDB 10.11.6"));
        assert_eq!(said("5.5.5-10.6.12-MariaDB").as_deref(), Some("MariaDB 10.6.12"));
        assert_eq!(said("8.0.26").as_deref(), Some("MySQL 8.0.26"));
        assert_eq!(said("9.7.4-2-debian").as_deref(), Some("MySQL 9.7.4"));
        assert_eq!(said("unknown"), None);
    }

    #[test]
    fn a_server_that_is_too_old_is_named_with_the_version_it_needs() {
        let refused = |text: &str| Version::parse(text).unwrap().too_old();
        assert_eq!(
            refused("8.0.25").as_deref(),
            Some("this is MySQL 8.0.25, and fieldgate needs MySQL 8.0.26 or newer")
        );
        assert!(refused("5.5.5-10.4.30-MariaDB").is_some());
        for good in ["8.0.26", "8.4.0", "9.7.4", "10.5.2-MariaDB", "11.4.2-MariaDB-ubu2404"] {
            assert_eq!(refused(good), None, "{good}");
        }
    }
}
