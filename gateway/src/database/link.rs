//! How a connection is made: TLS, and what is said when a certificate does not do.
//!
//! Compression, which the library offers, is not: its encoder has no room for data that zlib makes longer, cuts such a
//! packet off, and the server closes the connection, again and again for the same rows.

use super::{Class, DbError};
use config::Tls;
use mysql_async::{DriverError, Error, IoError, OptsBuilder, SslOpts};
use rustls::CertificateError;

/// Larger than any statement: the library must never cut a batch by itself, since it sends the types of a column with
/// the first part only. How long a statement may be is asked of each server, and kept in `insert`.
const LIBRARY_LIMIT_BYTES: usize = 1 << 30;
/// For what the library does with idle connections of a pool, which there is none of. Without it, it would ask.
const IDLE_SECONDS: usize = 28_800;

/// Where MySQL has an error of its own (3159), MariaDB and accounts of both with REQUIRE SSL deny access.
const ACCESS_DENIED: u16 = 1045;
const OR_TLS: &str = "; a server that takes only connections with TLS says the same: then set mysql.tls = \"verify\"";

/// What every connection of ours has, and TLS.
pub fn options(options: OptsBuilder, tls: &Tls) -> OptsBuilder {
    let options = options.max_allowed_packet(Some(LIBRARY_LIMIT_BYTES)).wait_timeout(Some(IDLE_SECONDS));
    match tls {
        Tls::Off => options,
        Tls::Verify { ca_file } => {
            let roots = SslOpts::default().with_disable_built_in_roots(true);
            options.ssl_opts(roots.with_root_certs(vec![ca_file.clone().into()]))
        }
    }
}

/// A certificate that does not do, or no TLS where it is asked for, is for the operator to mend; all else is as the library
/// reports it.
pub fn explain(server: &str, tls: &Tls, error: Error) -> DbError {
    if let Some((words, remedy)) = tls_trouble(tls, &error) {
        return DbError { server: server.to_owned(), class: Class::Setup, code: None, words, remedy, route: None };
    }
    let mut error = DbError::from_client(server, error);
    if *tls == Tls::Off && error.code == Some(ACCESS_DENIED) {
        error.remedy.push_str(OR_TLS);
    }
    error
}

fn tls_trouble(tls: &Tls, error: &Error) -> Option<(String, String)> {
    let Tls::Verify { ca_file } = tls else { return None };
    if matches!(error, Error::Driver(DriverError::NoClientSslFlagFromServer)) {
        let remedy = "give the server a certificate (ssl_cert, ssl_key), or set mysql.tls = \"off\"";
        return Some(("the server does not offer TLS".to_owned(), remedy.to_owned()));
    }
    if let Err(unreadable) = std::fs::File::open(ca_file) {
        let words = format!("the roots in {} cannot be read: {unreadable}", ca_file.display());
        return Some((words, "check mysql.ca_file, and that the gateway's user may read that file".to_owned()));
    }
    let words = |error: &dyn std::fmt::Display| format!("TLS failed: {error}");
    match error {
        // The handshake's own errors come wrapped by the stream.
        Error::Io(IoError::Io(error)) => match error.get_ref()?.downcast_ref::<rustls::Error>()? {
            rustls::Error::InvalidCertificate(reason) => Some((words(error), remedy(reason, ca_file))),
            _ => Some((words(error), String::new())),
        },
        Error::Io(IoError::Tls(error)) => Some((
            words(error),
            format!("check mysql.ca_file: {} must hold root certificates (PEM)", ca_file.display()),
        )),
        _ => None,
    }
}

fn remedy(reason: &CertificateError, ca_file: &std::path::Path) -> String {
    use CertificateError as Reason;
    match reason {
        Reason::UnknownIssuer | Reason::BadSignature => format!(
            "mysql.ca_file must name the root that signed the server's certificate; no root in {} did",
            ca_file.display()
        ),
        Reason::Expired | Reason::ExpiredContext { .. } => {
            "give the server a new certificate, and check the clocks here and there".to_owned()
        }
        Reason::NotValidYet | Reason::NotValidYetContext { .. } => "check the clock of this machine".to_owned(),
        Reason::NotValidForName | Reason::NotValidForNameContext { .. } => {
            "write the server in mysql.servers as its certificate names it, or give it a certificate with this name or \
             address as a subject alternative name"
                .to_owned()
        }
        _ => "give the server a certificate that is made for servers".to_owned(),
    }
}
