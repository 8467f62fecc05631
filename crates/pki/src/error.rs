//! What can go wrong with an authority and its folder.

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use renkei_types::{Classify, Kind, Language, Localised};

use crate::facts::Unparseable;

/// Why a certificate was not issued, renewed or revoked.
#[derive(Debug, thiserror::Error)]
pub enum PkiError {
    /// A file or folder cannot be read or written.
    #[error("{}: {source}", file.display())]
    File {
        /// The file.
        file: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The folder for a new authority has something in it.
    #[error("{} is not empty: an authority is never overwritten; name a new folder", dir.display())]
    NotEmpty {
        /// The folder.
        dir: PathBuf,
    },
    /// The folder holds no authority.
    #[error(
        "{} holds no ca.crt: make an authority with `renkei pki init`; if that was cut short, remove the folder first",
        dir.display()
    )]
    NoAuthority {
        /// The folder.
        dir: PathBuf,
    },
    /// A certificate, key or revocation list of the authority cannot be understood.
    #[error("{}: {source}; restore it from the authority's backup", file.display())]
    Unparseable {
        /// The file.
        file: PathBuf,
        /// What it is not.
        #[source]
        source: Unparseable,
    },
    /// The record of issued certificates cannot be understood.
    #[error("{}, line {line}: not a record of issued certificates; restore it from the authority's backup", file.display())]
    Record {
        /// The file.
        file: PathBuf,
        /// The line where understanding ended.
        line: usize,
    },
    /// The key does not belong to the certificate of the authority.
    #[error("{} does not belong to ca.crt beside it; restore both from one backup", file.display())]
    OtherKey {
        /// The key's file.
        file: PathBuf,
    },
    /// Others than its owner can read the authority's key.
    #[error("{} can be read by others: find out who did, then `chmod 600` it", file.display())]
    ExposedKey {
        /// The key's file.
        file: PathBuf,
    },
    /// Another process is using the authority.
    #[error("{} is in use by another command; try again when it has ended", dir.display())]
    Busy {
        /// The folder.
        dir: PathBuf,
    },
    /// The text is not a trust domain.
    #[error("a trust domain is 1 to 64 of a-z, 0-9, dot, - and _, such as renkei.city.example")]
    TrustDomain,
    /// The identity belongs to another trust domain.
    #[error("the identity is of another trust domain; this authority signs for {own}")]
    ForeignIdentity {
        /// The authority's own.
        own: String,
    },
    /// A broker without a name could not be called.
    #[error("a broker needs at least one DNS name or address (--dns, --ip)")]
    NoBrokerName,
    /// The certificate would be valid longer than the authority.
    #[error(
        "the certificate would outlive its authority, which ends at {end}; issue it for fewer days, or make a new authority"
    )]
    OutlivesAuthority {
        /// The authority's end.
        end: Timestamp,
    },
    /// A revocation list must be replaced later than now.
    #[error("the next revocation list must be due later than now")]
    CrlInThePast,
    /// A valid certificate has the name already.
    #[error(
        "a valid certificate is called {name} already; renew or revoke it, or choose another name (--name)"
    )]
    NameTaken {
        /// The name.
        name: String,
    },
    /// The name is one of the authority's own files.
    #[error("the name {name} belongs to the authority's own files; choose another (--name)")]
    NameReserved {
        /// The name.
        name: String,
    },
    /// No certificate has this name or serial number.
    #[error("{} records no certificate of this name or serial number; see `renkei pki status`", file.display())]
    Unknown {
        /// The record.
        file: PathBuf,
    },
    /// The certificate was revoked before.
    #[error("the certificate is revoked already; issue a new one")]
    Revoked,
    /// A file that would be written is there already.
    #[error("{} is there already and is not overwritten; move it away or choose another name", file.display())]
    FileExists {
        /// The file.
        file: PathBuf,
    },
    /// A file that would be replaced is not there.
    #[error("{} is not there to be replaced; name the folder of the certificate (--out)", file.display())]
    FileMissing {
        /// The file.
        file: PathBuf,
    },
    /// The key that waits for its certificate cannot be read.
    #[error("{} is no private key that waits for its certificate; remove it and ask for a certificate anew", file.display())]
    WaitingKey {
        /// The key's file.
        file: PathBuf,
    },
    /// The certificate is not for the key that waits.
    #[error("the certificate is not for the key that waits beside {}; nothing was changed. Ask for a certificate anew", file.display())]
    OtherCertificate {
        /// The file that the two would have become.
        file: PathBuf,
    },
    /// The request is not for the key of which its owner told the fingerprint.
    #[error(
        "the request is for another key than its owner told you of; sign nothing, and find out who exchanged it"
    )]
    OtherFingerprint,
    /// A date is outside the calendar.
    #[error("a date lies outside the calendar; check the clock and the number of days")]
    Time(#[from] jiff::Error),
    /// The source of chance gave only serial numbers that are taken.
    #[error("the source of chance repeats itself; no certificate was issued")]
    Entropy,
    /// The crypto library refused.
    #[error("the certificate could not be made: {0}")]
    Signing(#[from] rcgen::Error),
}

impl PkiError {
    pub(crate) fn file(file: &Path, source: std::io::Error) -> Self {
        Self::File { file: file.to_path_buf(), source }
    }
}

impl Classify for PkiError {
    fn kind(&self) -> Kind {
        match self {
            Self::File { source, .. } if is_storage(source) => Kind::Exhausted,
            Self::File { .. }
            | Self::NoAuthority { .. }
            | Self::Unparseable { .. }
            | Self::Record { .. }
            | Self::OtherKey { .. }
            | Self::TrustDomain
            | Self::NoBrokerName
            | Self::CrlInThePast
            | Self::FileMissing { .. }
            | Self::WaitingKey { .. }
            | Self::Time(_) => Kind::InvalidArgument,
            Self::Unknown { .. } => Kind::NotFound,
            Self::NotEmpty { .. }
            | Self::ExposedKey { .. }
            | Self::ForeignIdentity { .. }
            | Self::OutlivesAuthority { .. }
            | Self::NameReserved { .. }
            | Self::Revoked
            | Self::OtherCertificate { .. }
            | Self::OtherFingerprint
            | Self::FileExists { .. } => Kind::Refused,
            Self::NameTaken { .. } => Kind::Conflict,
            Self::Busy { .. } => Kind::Unavailable,
            Self::Entropy | Self::Signing(_) => Kind::Internal,
        }
    }
}

/// Whether there is no room, or nothing may be written.
fn is_storage(error: &std::io::Error) -> bool {
    use std::io::ErrorKind;
    [ErrorKind::StorageFull, ErrorKind::QuotaExceeded, ErrorKind::ReadOnlyFilesystem]
        .contains(&error.kind())
}

impl Localised for PkiError {
    fn localised(&self, language: Language) -> String {
        if language == Language::English {
            return self.to_string();
        }
        match self {
            Self::File { file, source } => {
                format!("{}: {}", file.display(), source.localised(language))
            }
            Self::NotEmpty { dir } => format!(
                "{} は空ではありません。認証局は上書きできないため、新しいフォルダーを指定してください",
                dir.display()
            ),
            Self::NoAuthority { dir } => format!(
                "{} に ca.crt がありません。`renkei pki init` で認証局を作成してください（作成が中断された場合は、先にフォルダーを削除してください）",
                dir.display()
            ),
            Self::Unparseable { file, source } => format!(
                "{}: {}。認証局のバックアップから復元してください",
                file.display(),
                source.localised(language)
            ),
            Self::Record { file, line } => format!(
                "{} {line} 行目: 発行記録として読めません。認証局のバックアップから復元してください",
                file.display()
            ),
            Self::OtherKey { file } => format!(
                "{} は同じフォルダーの ca.crt の鍵ではありません。両方を同じバックアップから復元してください",
                file.display()
            ),
            Self::ExposedKey { file } => format!(
                "{} は他の利用者も読める状態です。読まれていないことを確認し、`chmod 600` を実行してください",
                file.display()
            ),
            Self::Busy { dir } => format!(
                "{} は別のコマンドが使用中です。終了後にもう一度実行してください",
                dir.display()
            ),
            Self::TrustDomain => {
                "信頼ドメインは英小文字・数字・ピリオド・- ・_ の1～64文字で指定してください（例 renkei.city.example）".to_owned()
            }
            Self::ForeignIdentity { own } => {
                format!("別の信頼ドメインの識別名です。この認証局が署名できるのは {own} のみです")
            }
            Self::NoBrokerName => {
                "ブローカーのDNS名またはアドレスを一つ以上指定してください（--dns、--ip）".to_owned()
            }
            Self::OutlivesAuthority { end } => format!(
                "証明書の期限が認証局の期限（{end}）を超えます。日数を短くするか、新しい認証局を作成してください"
            ),
            Self::CrlInThePast => "失効リストの次回更新は現在より後にしてください".to_owned(),
            Self::NameTaken { name } => format!(
                "有効な証明書 {name} がすでにあります。更新または失効するか、別の名前を指定してください（--name）"
            ),
            Self::NameReserved { name } => {
                format!("{name} は認証局のファイル名です。別の名前を指定してください（--name）")
            }
            Self::Unknown { file } => format!(
                "{} にその名前またはシリアル番号の証明書がありません。`renkei pki status` で確認してください",
                file.display()
            ),
            Self::Revoked => {
                "証明書はすでに失効しています。新しい証明書を発行してください".to_owned()
            }
            Self::FileExists { file } => format!(
                "{} はすでに存在するため上書きしません。移動するか、別の名前を指定してください",
                file.display()
            ),
            Self::FileMissing { file } => format!(
                "{} がないため置き換えできません。証明書のフォルダーを指定してください（--out）",
                file.display()
            ),
            Self::WaitingKey { file } => format!(
                "{} は証明書を待つ秘密鍵として読めません。削除して、申請をやり直してください",
                file.display()
            ),
            Self::OtherCertificate { file } => format!(
                "証明書が {} の待機中の鍵のものではありません。何も変更していません。申請をやり直してください",
                file.display()
            ),
            Self::OtherFingerprint => {
                "証明書要求の鍵が、本人から聞いた指紋と一致しません。署名せず、どこですり替わったか確認してください".to_owned()
            }
            Self::Time(_) => "日付が範囲外です。時計と日数を確認してください".to_owned(),
            Self::Entropy => "乱数が重複しているため、証明書を発行しませんでした".to_owned(),
            Self::Signing(source) => format!("証明書を作成できません（{source}）"),
        }
    }
}
