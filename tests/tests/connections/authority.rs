//! A root of our own, and certificates that it signs.

use std::fs;
use std::net::Ipv4Addr;
use std::path::PathBuf;

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, date_time_ymd};
use tempfile::TempDir;

/// A folder with a root, and a certificate and key for a server.
pub struct Authority {
    folder: TempDir,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    /// A new root.
    pub fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder for certificates");
        let mut params = CertificateParams::new(Vec::new()).expect("a certificate without names");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, "a root of the rigs");
        let key = KeyPair::generate().expect("a key");
        let root = params.self_signed(&key).expect("a root");
        fs::write(folder.path().join("ca.pem"), root.pem()).expect("the root's file");
        Self { folder, issuer: Issuer::new(params, key) }
    }

    /// Signs a certificate for a server at this address, over the one signed before. An expired one has been good until
    /// the year 2020.
    pub fn sign(&self, address: Ipv4Addr, expired: bool) {
        let mut params = CertificateParams::new(vec![address.to_string()]).expect("a name");
        if expired {
            (params.not_before, params.not_after) = (date_time_ymd(2019, 1, 1), date_time_ymd(2020, 1, 1));
        }
        let key = KeyPair::generate().expect("a key");
        let certificate = params.signed_by(&key, &self.issuer).expect("a certificate");
        fs::write(self.folder.path().join("key.pem"), key.serialize_pem()).expect("the key's file");
        fs::write(self.folder.path().join("cert.pem"), certificate.pem()).expect("the certificate's file");
    }

    /// The root's file.
    pub fn ca_file(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }

    /// What a server is started with.
    pub fn arguments(&self) -> Vec<String> {
        let file = |option: &str, name: &str| format!("--ssl-{option}={}", self.folder.path().join(name).display());
        vec![file("ca", "ca.pem"), file("cert", "cert.pem"), file("key", "key.pem")]
    }
}
