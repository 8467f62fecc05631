//! What can be wrong with the files of TLS.

use std::path::PathBuf;

use renkei_types::{Classify, Digest, Kind, Language, Localised};

/// Certificates, a key or a revocation list that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read.
    #[error("{}: cannot be read: {source}; check the path and who may read it", file.display())]
    Unreadable {
        /// The file.
        file: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A file has nothing of the wanted kind in it.
    #[error("{}: no {wanted} in PEM form; check that the right file is named", file.display())]
    Empty {
        /// The file.
        file: PathBuf,
        /// The PEM section that was wanted.
        wanted: &'static str,
    },
    /// A certificate or a list that cannot be parsed.
    #[error("{}: damaged; have it issued again", file.display())]
    Malformed {
        /// The file.
        file: PathBuf,
    },
    /// The certificate may not issue others.
    #[error("{}: holds a certificate that is no authority; name the file of the client CA", file.display())]
    NotAnAuthority {
        /// The file.
        file: PathBuf,
    },
    /// An authority has no list, or one that somebody else signed.
    #[error("{}: no revocation list signed by the authority {authority}; all its clients would be locked out. Publish one", file.display())]
    RevocationListMissing {
        /// The file.
        file: PathBuf,
        /// The authority.
        authority: Digest,
    },
    /// A list that never ends would hide that it is no longer renewed.
    #[error("{}: a revocation list without nextUpdate; publish one that ends", file.display())]
    RevocationListEndless {
        /// The file.
        file: PathBuf,
    },
    /// The broker's key does not belong to its certificate, or is of an unknown kind.
    #[error("{}: not usable with the certificate: {source}; replace both together", file.display())]
    KeyUnusable {
        /// The file of the key.
        file: PathBuf,
        /// Why.
        source: rustls::Error,
    },
    /// rustls refuses what is there.
    #[error("the TLS settings cannot be built: {reason}")]
    Settings {
        /// What rustls says.
        reason: String,
    },
}

impl Classify for TlsError {
    fn kind(&self) -> Kind {
        Kind::InvalidArgument
    }
}

impl Localised for TlsError {
    fn localised(&self, language: Language) -> String {
        if language == Language::English {
            return self.to_string();
        }
        match self {
            Self::Unreadable { file, source } => {
                let why = source.localised(language);
                format!("{}: 読めません: {why}。パスと権限を確認してください", file.display())
            }
            Self::Empty { file, wanted } => {
                format!(
                    "{}: PEM形式の{wanted}がありません。ファイルの指定を確認してください",
                    file.display()
                )
            }
            Self::Malformed { file } => {
                format!("{}: 壊れています。再発行を受けてください", file.display())
            }
            Self::NotAnAuthority { file } => {
                format!(
                    "{}: 認証局の証明書ではありません。クライアント認証局のファイルを指定してください",
                    file.display()
                )
            }
            Self::RevocationListMissing { file, authority } => {
                format!(
                    "{}: 認証局{authority}が署名した失効リストがありません。発行してください",
                    file.display()
                )
            }
            Self::RevocationListEndless { file } => {
                format!(
                    "{}: 失効リストにnextUpdateがありません。期限のあるリストを発行してください",
                    file.display()
                )
            }
            Self::KeyUnusable { file, source } => {
                format!(
                    "{}: 証明書と組み合わせて使えません: {source}。両方を同時に置き換えてください",
                    file.display()
                )
            }
            Self::Settings { reason } => format!("TLSの設定を組み立てられません: {reason}"),
        }
    }
}
