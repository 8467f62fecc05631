//! The closed list of reason codes.

use std::fmt;

use crate::language::{Language, Localised};

macro_rules! reasons {
    ($($(#[$doc:meta])* $variant:ident = $code:literal, $english:literal, $japanese:literal;)+) => {
        /// Why something is as it is: machine-readable, stable, UPPER_SNAKE in text.
        #[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
        pub enum Reason { $($(#[$doc])* $variant,)+ }

        impl Reason {
            /// Every reason, in the order of this file.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The code as written to files and answers.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $code,)+ }
            }
        }

        impl Localised for Reason {
            fn localised(&self, language: Language) -> String {
                match self { $(Self::$variant => language.pick($english, $japanese).to_owned(),)+ }
            }
        }
    };
}

reasons! {
    /// LINKED: the weight and the margin are sufficient.
    AboveLinkThreshold = "ABOVE_LINK_THRESHOLD",
        "weight and margin are sufficient", "一致度・差とも十分";
    /// REVIEW: the weight lies between the thresholds.
    BetweenThresholds = "BETWEEN_THRESHOLDS",
        "the weight lies between the two thresholds", "一致度が二つのしきい値の間";
    /// AMBIGUOUS: a rival is too close.
    SmallMargin = "SMALL_MARGIN",
        "another resident fits almost as well", "ほぼ同程度に一致する別の住民がいる";
    /// AMBIGUOUS: a rival fits exactly as well.
    Tie = "TIE",
        "another resident fits exactly as well", "全く同程度に一致する別の住民がいる";
    /// AMBIGUOUS: the line does not prove whom it names: its given name is another's or the account holder's alone, or a name
    /// is all it has.
    NameUnproven = "NAME_UNPROVEN",
        "everything fits but the name the line gives, or the line gives nothing but a name",
        "氏名以外は一致するが氏名の裏付けがない、または氏名しか手掛かりがない";
    /// AMBIGUOUS: several lines contend for one person.
    Contended = "CONTENDED",
        "several lines contend for the same resident", "複数の行が同じ住民を取り合っている";
    /// DUPLICATE: the best person is held by the line named after the colon.
    HeldByLine = "HELD_BY_LINE",
        "the resident is held by another line", "その住民は別の行に割り当て済み";
    /// NOT_FOUND: candidates were compared and none reaches the review threshold.
    BelowReviewThreshold = "BELOW_REVIEW_THRESHOLD",
        "no candidate reaches the review threshold", "確認しきい値に達する候補がない";
    /// NOT_FOUND: no register record shares a blocking key.
    NoCandidate = "NO_CANDIDATE",
        "no resident shares a blocking key", "候補となる住民がいない";
    /// NOT_FOUND: whom the line could mean are too many to compare.
    TooCommon = "TOO_COMMON",
        "what the line says is shared by too many residents to compare", "同じ内容の住民が多すぎて比較できない";
    /// UNLINKABLE: no field of the line is usable as evidence.
    NoEvidence = "NO_EVIDENCE",
        "no field of the line is usable as evidence", "照合に使える項目がない";
    /// REJECTED_INPUT: the id is empty.
    IdMissing = "ID_MISSING",
        "the id is empty", "識別番号が空";
    /// REJECTED_INPUT: the id stands on more than one line.
    IdRepeated = "ID_REPEATED",
        "the id stands on more than one line", "識別番号が重複";
    /// REJECTED_INPUT: the line has too few or too many fields.
    FieldCount = "FIELD_COUNT",
        "the line has too few or too many fields", "項目数が違う";
    /// REJECTED_INPUT: bytes that are no text in the file's encoding.
    Undecodable = "UNDECODABLE",
        "bytes that are no text in the file's encoding", "文字コードとして読めないバイトがある";
    /// REJECTED_INPUT: the amount cannot be read.
    AmountUnreadable = "AMOUNT_UNREADABLE",
        "the amount cannot be read", "金額が読めない";
    /// REJECTED_INPUT: the line carries a My Number.
    MyNumber = "MY_NUMBER",
        "the line carries a My Number", "個人番号が含まれる";
    /// A file of the wrong kind, or a damaged one.
    UnreadableFile = "UNREADABLE_FILE",
        "the file cannot be read", "ファイルを読めない";
    /// A column that is needed is absent.
    ColumnMissing = "COLUMN_MISSING",
        "a needed column is absent", "必要な列がない";
    /// Two columns have the same name, or a name is empty.
    HeaderInvalid = "HEADER_INVALID",
        "the header repeats or omits a column name", "見出しの列名が重複または空";
    /// The schema, layout, model or configuration file is wrong.
    ConfigurationInvalid = "CONFIGURATION_INVALID",
        "a schema, layout, model or configuration file is wrong", "設定ファイルに誤りがある";
    /// The certificate names nobody in the directory.
    NotRegistered = "NOT_REGISTERED",
        "the certificate names nobody in the directory", "証明書の名義が登録されていない";
    /// The system or person is shut out.
    PartyRevoked = "PARTY_REVOKED",
        "the system or person is shut out", "このシステムまたは職員は利用停止中";
    /// The certificate is revoked, expired or not one of ours.
    CertificateRefused = "CERTIFICATE_REFUSED",
        "the certificate is revoked, expired or not acceptable", "証明書が失効・期限切れ、または受け入れられない";
    /// The call needs a role that the caller does not have.
    RoleMissing = "ROLE_MISSING",
        "the call needs a role that the caller does not have", "必要な役割がない";
    /// There is no such thing, or no agreement that allows it; which of the two is not told.
    NoAgreement = "NO_AGREEMENT",
        "there is no agreement that allows this", "これを認める取決めがない";
    /// The request id was used before, for another request.
    RequestReused = "REQUEST_REUSED",
        "the request id was used for another request; make a new one", "要求番号が別の要求に使われている。新しい番号で送り直す";
    /// A field of the request is missing or cannot be read.
    FieldInvalid = "FIELD_INVALID",
        "a field of the request is missing or cannot be read", "要求の項目が空か、読めない";
    /// It is there already.
    AlreadyExists = "ALREADY_EXISTS",
        "it exists already", "既に存在する";
    /// It is at a step at which this cannot be done.
    WrongState = "WRONG_STATE",
        "it is at a step at which this cannot be done", "現在の段階ではこの操作はできない";
    /// It has changed since it was read.
    VersionOld = "VERSION_OLD",
        "it has changed since it was read; read it again", "読み込んだ後に変更された。読み直す";
    /// A second person is needed.
    SamePerson = "SAME_PERSON",
        "the second signature must come from another person", "二人目は別の人でなければならない";
    /// A certifier has decided a line of the batch.
    OwnDecision = "OWN_DECISION",
        "who decided a line cannot certify it", "自ら判断した行は確定できない";
    /// The declared lines or yen differ from those that were counted.
    TotalsDiffer = "TOTALS_DIFFER",
        "the declared lines or yen differ from what was counted", "申告された件数または金額が集計と一致しない";
    /// The declared bytes or digest differ from what arrived.
    BytesDiffer = "BYTES_DIFFER",
        "the declared bytes or digest differ from what arrived", "申告されたバイト数または要約値が受信内容と一致しない";
    /// The digest is not that of the thing that was shown.
    DigestDiffers = "DIGEST_DIFFERS",
        "the digest is not that of what is to be signed", "要約値が署名対象と一致しない";
    /// A chunk does not begin where the last one ended.
    OffsetWrong = "OFFSET_WRONG",
        "a chunk must begin where the durable bytes end", "送信位置が保存済みの末尾と一致しない";
    /// The bytes of a chunk do not have its checksum.
    ChecksumWrong = "CHECKSUM_WRONG",
        "the bytes do not have their checksum", "検査値が一致しない";
    /// A limit on size is passed.
    TooLarge = "TOO_LARGE",
        "a limit on size is passed", "大きさの上限を超えている";
    /// The clerk's lease on the task has ended, or the task was never theirs.
    LeaseLost = "LEASE_LOST",
        "the task is not leased to the caller; claim it again", "担当期限が切れている。もう一度受け取る";
    /// The register has no snapshot yet.
    NoRegister = "NO_REGISTER",
        "the register has not been uploaded yet", "台帳がまだ登録されていない";
    /// The delta is not the next one of its register.
    DeltaGap = "DELTA_GAP",
        "the delta is not the next one; send the one that is expected", "差分の番号が続いていない。次の番号から送り直す";
    /// Another delta of this number was applied before.
    DeltaDiffers = "DELTA_DIFFERS",
        "another delta of this number was applied before", "同じ番号の別の差分が適用済み";
    /// The provider has withdrawn the register.
    Withdrawn = "WITHDRAWN",
        "the register has been withdrawn by its provider", "台帳は提供機関が取り下げた";
    /// It is not known who is protected, or no longer: addresses are withheld of everybody, and nothing is certified.
    ProtectionStale = "PROTECTION_STALE",
        "the list of protected persons is missing or too old; until the provider reports again, addresses are withheld of everybody and nothing is certified",
        "支援措置の情報がないか古い。提供機関が再送するまで全員の住所を伏せ、確定も止める";
    /// The register's index is being built.
    IndexLoading = "INDEX_LOADING",
        "the register is being loaded; try again in some seconds", "台帳を読み込み中。数秒後に再試行する";
    /// The payee is paid by another line of the programme.
    AlreadyPaid = "ALREADY_PAID",
        "the payee is paid by another line of this programme", "この給付事業の別の行で支給済み";
    /// The register's record is not known.
    UnknownPerson = "UNKNOWN_PERSON",
        "the register has no such record", "台帳に該当する記録がない";
    /// Releases are stopped.
    OnHold = "ON_HOLD",
        "releases are stopped", "支払が停止されている";
    /// The agreement's daily volume is used up.
    DailyLimit = "DAILY_LIMIT",
        "the agreement's daily volume is used up", "取決めの一日の上限に達した";
    /// An amount is above what the programme allows for a line.
    AmountAboveMax = "AMOUNT_ABOVE_MAX",
        "an amount is above what the programme allows for one line", "一行の金額が給付事業の上限を超えている";
    /// An amount does not follow the programme's amount rule.
    AmountOffRule = "AMOUNT_OFF_RULE",
        "an amount does not follow the programme's amount rule", "金額が給付事業の支給額の定めに合わない";
    /// A list without lines cannot take the place of another.
    EmptyList = "EMPTY_LIST",
        "a list without lines cannot take the place of another", "行のないリストでは差し替えられない";
    /// Payees of a push list may still decline.
    TooEarly = "TOO_EARLY",
        "payees of this list may still decline; certify it after that day", "辞退の期限前。期限の翌日から確定できる";
    /// A bank detail that a transfer needs is missing or cannot be read.
    BankDetailsMissing = "BANK_DETAILS_MISSING",
        "a line lacks a bank detail that a transfer needs", "振込に必要な口座情報が足りない行がある";
    /// No payable line is left.
    NothingToCertify = "NOTHING_TO_CERTIFY",
        "no payable line is left that is in no batch", "未確定の支給対象行がない";
    /// No transfer of the batch that is still out fits a row of the bank's report.
    UnknownTransfer = "UNKNOWN_TRANSFER",
        "no transfer of this batch that is still out fits the row; nothing of the file was taken",
        "この行に当たる未返却の振込がない。ファイル全体を受け付けていない";
    /// Several transfers fit a row of the bank's report.
    AmbiguousTransfer = "AMBIGUOUS_TRANSFER",
        "several transfers of this batch fit the row; name the line's id in the file",
        "この行に当たる振込が複数ある。申請番号の列を加える";
    /// A refund of more than was paid.
    RefundAbovePaid = "REFUND_ABOVE_PAID",
        "a refund must be more than nothing and no more than is still paid", "返還額は1円以上、支給済みの残額以下";
    /// The list of this id has no such line, or it is not at a step at which this can be done.
    UnknownLine = "UNKNOWN_LINE",
        "the list has no line of this id that this could be done to", "リストに該当する行がない";
    /// A corrected list has taken the place of the list or the line.
    Superseded = "SUPERSEDED",
        "a corrected list has taken its place", "訂正後のリストに差し替え済み";
    /// The lines of a list do not add up: a fault of ours, and nothing was changed.
    Unbalanced = "UNBALANCED",
        "the lines of this list do not add up; nothing was changed; stop paying and tell the broker's operator",
        "リストの件数または金額が合わない。何も変更していない。支払を止めて運用者に連絡する";
    /// The line is in a batch.
    InBatch = "IN_BATCH",
        "the line is in a batch and cannot be changed", "確定対象に含まれる行は変更できない";
    /// The same file was sealed in this programme before.
    SameFile = "SAME_FILE",
        "the same file is already a list of this programme", "同じファイルがこの給付事業のリストとして登録済み";
    /// What is asked for was destroyed with its key.
    DataDestroyed = "DATA_DESTROYED",
        "the data has been destroyed", "データは消去済み";
    /// The storage is full: nothing was changed.
    StorageFull = "STORAGE_FULL",
        "the storage is full; nothing was changed", "記憶領域が不足。何も変更していない";
    /// More calls than can be served.
    Overloaded = "OVERLOADED",
        "more calls than can be served; try again", "混雑中。時間をおいて再試行する";
    /// The deadline of the call has passed; the same request may be sent again.
    DeadlineExceeded = "DEADLINE_EXCEEDED",
        "the call took too long; send the same request again", "時間切れ。同じ要求を再送してよい";
    /// The broker is stopping.
    Stopping = "STOPPING",
        "the broker is stopping; try again", "停止処理中。後で再試行する";
    /// The engine's job failed.
    JobFailed = "JOB_FAILED",
        "the job failed", "処理に失敗した";
    /// A model is for other fields, was made by another engine, or has comparisons that no line taught anything about.
    ModelUnfit = "MODEL_UNFIT",
        "the model is for other fields or another engine, or parts of it are untrained; train one on a list that has every field",
        "モデルの項目や版が合わないか、学習していない項目があります。すべての項目があるリストで学習し直してください";
    /// A list is too short to train a model.
    TooFewLines = "TOO_FEW_LINES",
        "the list has too few lines to train a model", "モデルを学習するにはリストの行が少なすぎます";
    /// A fault of ours.
    Internal = "INTERNAL",
        "a fault of the broker; see its log", "内部エラー。連携サーバーの記録を参照";
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_upper_snake_and_distinct() {
        let mut codes: Vec<&str> = Reason::ALL.iter().map(|reason| reason.as_str()).collect();
        for code in &codes {
            assert!(code.chars().all(|c| c.is_ascii_uppercase() || c == '_'), "{code}");
        }
        codes.sort_unstable();
        codes.dedup();
        assert_eq!(codes.len(), Reason::ALL.len());
    }
}
