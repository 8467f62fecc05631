//! TLS of a client: version 1.3 only, one authority, one certificate, or none yet.

use std::sync::Arc;

use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};

use crate::client_file::{ClientFile, ClientFileError};

/// The TLS configuration that a client file describes.
pub(crate) fn client_config(file: &ClientFile) -> Result<ClientConfig, ClientFileError> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut roots = RootCertStore::empty();
    for certificate in certificates(file, "ca", &file.ca)? {
        roots.add(certificate).map_err(|_| file.wrong_pem("ca", &file.ca))?;
    }
    let builder = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])
        .map_err(|_| ClientFileError::Tls)?
        .with_root_certificates(roots);
    let mut config = match &file.own {
        None => builder.with_no_client_auth(),
        Some(own) => {
            let certificate = certificates(file, "certificate", &own.certificate)?;
            let bytes = read(file, "key", &own.key)?;
            let key = PrivateKeyDer::from_pem_slice(&bytes)
                .map_err(|_| file.wrong_pem("key", &own.key))?;
            let pair =
                ClientFileError::Pair { file: file.name(), key: own.key.display().to_string() };
            builder.with_client_auth_cert(certificate, key).map_err(|_| pair)?
        }
    };
    config.alpn_protocols = vec![b"h2".to_vec()];
    Ok(config)
}

fn read(
    file: &ClientFile,
    key: &'static str,
    path: &std::path::Path,
) -> Result<Vec<u8>, ClientFileError> {
    fs_err::read(path).map_err(|source| ClientFileError::Unreadable {
        file: file.name(),
        key,
        path: path.display().to_string(),
        source,
    })
}

fn certificates(
    file: &ClientFile,
    key: &'static str,
    path: &std::path::Path,
) -> Result<Vec<CertificateDer<'static>>, ClientFileError> {
    let bytes = read(file, key, path)?;
    let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&bytes).collect();
    match certificates {
        Ok(certificates) if !certificates.is_empty() => Ok(certificates),
        Ok(_) | Err(_) => Err(file.wrong_pem(key, path)),
    }
}
