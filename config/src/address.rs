//! Addresses of database servers, brokers and the other gateway.

use std::fmt;
use std::net::Ipv6Addr;

use crate::problem::ValueError;

const MYSQL_PORT: u16 = 3306;
const MQTT_PORT: u16 = 1883;
const MAX_HOST_CHARS: usize = 253;

/// One database server: `host`, `host:port` or `[IPv6]:port`. Shown as `host:port` or `[IPv6]:port`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ServerAddress {
    /// Name or address in small letters; an IPv6 address in its shortest form, without brackets.
    pub host: String,
    /// TCP port, at least 1.
    pub port: u16,
}

impl ServerAddress {
    /// Reads an address; the port is 3306 unless given.
    ///
    /// # Errors
    /// When host or port cannot be one.
    pub fn parse(text: &str) -> Result<Self, ValueError> {
        let (host, port) = host_and_port(text, MYSQL_PORT)?;
        Ok(Self { host, port })
    }
}

impl fmt::Display for ServerAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        show(f, &self.host, self.port)
    }
}

/// One MQTT broker: `mqtt://host` with an optional port. Shown as `mqtt://host:port`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct BrokerAddress {
    /// Name or address in small letters; an IPv6 address in its shortest form, without brackets.
    pub host: String,
    /// TCP port, at least 1.
    pub port: u16,
}

impl BrokerAddress {
    /// Reads an address; the port is 1883 unless given.
    ///
    /// # Errors
    /// When it does not begin with `mqtt://`, or host or port cannot be one.
    pub fn parse(text: &str) -> Result<Self, ValueError> {
        if text.starts_with("mqtts://") {
            return Err(ValueError::not_in_this_version("remove it: use mqtt:// inside a network you trust"));
        }
        let Some(address) = text.strip_prefix("mqtt://") else {
            return Err(ValueError::new(
                format!("is {text:?}, not a broker"),
                "write \"mqtt://HOST\" or \"mqtt://HOST:PORT\"",
            ));
        };
        let (host, port) = host_and_port(address, MQTT_PORT)?;
        Ok(Self { host, port })
    }
}

impl fmt::Display for BrokerAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("mqtt://")?;
        show(f, &self.host, self.port)
    }
}

/// The other gateway of a site: `host`, `host:port` or `[IPv6]:port`. Shown as `host:port` or `[IPv6]:port`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct PeerAddress {
    /// Name or address in small letters; an IPv6 address in its shortest form, without brackets.
    pub host: String,
    /// UDP port, at least 1.
    pub port: u16,
}

impl PeerAddress {
    /// Where gateways listen for each other unless told otherwise.
    pub const DEFAULT_PORT: u16 = 7420;

    /// Reads an address; the port is 7420 unless given.
    ///
    /// # Errors
    /// When host or port cannot be one.
    pub fn parse(text: &str) -> Result<Self, ValueError> {
        let (host, port) = host_and_port(text, Self::DEFAULT_PORT)?;
        Ok(Self { host, port })
    }
}

impl fmt::Display for PeerAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        show(f, &self.host, self.port)
    }
}

fn show(f: &mut fmt::Formatter<'_>, host: &str, port: u16) -> fmt::Result {
    if host.contains(':') { write!(f, "[{host}]:{port}") } else { write!(f, "{host}:{port}") }
}

fn host_and_port(text: &str, default_port: u16) -> Result<(String, u16), ValueError> {
    let (host, port) = split(text)?;
    let port = port.map_or(Ok(default_port), read_port)?;
    let v6 = host.parse::<Ipv6Addr>().map(|address| address.to_string());
    Ok((v6.unwrap_or_else(|_| host.to_ascii_lowercase()), port))
}

/// Checks the host and leaves the port, if there is one, as text.
fn split(text: &str) -> Result<(&str, Option<&str>), ValueError> {
    if let Some((host, rest)) = text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        let port = rest.strip_prefix(':');
        let whole = host.parse::<Ipv6Addr>().is_ok() && (rest.is_empty() || port.is_some());
        return if whole { Ok((host, port)) } else { Err(not_an_address(text)) };
    }
    if text.parse::<Ipv6Addr>().is_ok() {
        return Err(ValueError::new("is an IPv6 address without brackets", format!("write \"[{text}]\"")));
    }
    let (host, port) = text.split_once(':').map_or((text, None), |(host, port)| (host, Some(port)));
    if is_host(host) { Ok((host, port)) } else { Err(not_an_address(text)) }
}

fn is_host(text: &str) -> bool {
    (1..=MAX_HOST_CHARS).contains(&text.len()) && text.chars().all(|c| c.is_ascii_alphanumeric() || "-._".contains(c))
}

fn read_port(text: &str) -> Result<u16, ValueError> {
    let digits = text.chars().all(|c| c.is_ascii_digit());
    text.parse().ok().filter(|port| digits && *port > 0).ok_or_else(|| {
        ValueError::new(format!("has the port {text:?}"), "write a port between 1 and 65535, or none for the usual one")
    })
}

fn not_an_address(text: &str) -> ValueError {
    ValueError::new(format!("has no usable host in {text:?}"), "write HOST, HOST:PORT or [IPV6]:PORT")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_with_and_without_port() {
        for (text, shown) in [
            ("db1", "db1:3306"),
            ("DB2.example:3307", "db2.example:3307"),
            ("10.0.0.7", "10.0.0.7:3306"),
            ("[::1]:3310", "[::1]:3310"),
            ("[FE80:0:0::2]", "[fe80::2]:3306"),
        ] {
            assert_eq!(ServerAddress::parse(text).unwrap().to_string(), shown);
        }
        assert_eq!(ServerAddress::parse("[::1]:1").unwrap(), ServerAddress { host: "::1".to_owned(), port: 1 });
    }

    #[test]
    fn what_is_no_server() {
        for text in [
            "",
            ":3306",
            "a b",
            "db1:",
            "db1:0",
            "db1:65536",
            "db1:+5",
            "db1:1:2",
            "[::1",
            "[::1]x",
            "[db1]:1",
            "user@db1",
            "db1/x",
        ] {
            assert!(ServerAddress::parse(text).is_err(), "{text}");
        }
        assert!(ServerAddress::parse(&"h".repeat(254)).is_err());
        assert_eq!(ServerAddress::parse("::1").unwrap_err().remedy, "write \"[::1]\"");
    }

    #[test]
    fn brokers() {
        assert_eq!(BrokerAddress::parse("mqtt://Localhost").unwrap().to_string(), "mqtt://localhost:1883");
        assert_eq!(BrokerAddress::parse("mqtt://[::1]:1884").unwrap().to_string(), "mqtt://[::1]:1884");
        assert!(BrokerAddress::parse("localhost").unwrap_err().remedy.contains("mqtt://HOST"));
        assert_eq!(BrokerAddress::parse("mqtts://b").unwrap_err().what, "is not in this version of fieldgate");
        assert!(BrokerAddress::parse("mqtt://").is_err() && BrokerAddress::parse("mqtt://b/path").is_err());
    }
}
