//! The closed list of reason codes: what each says, and what to do about it.
//!
//! Documents do not repeat it: `docs/reasons.md` is written from here, and from the places that know kinds and statuses.

use std::fmt;

use crate::language::{Language, Localised};

macro_rules! reasons {
    ($(
        $(#[$doc:meta])*
        $variant:ident = $code:literal,
            $english:literal, $japanese:literal, $advice:literal, $advice_japanese:literal;
    )+) => {
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

            /// What to do about it, for people.
            pub fn advice(self, language: Language) -> &'static str {
                match self { $(Self::$variant => language.pick($advice, $advice_japanese),)+ }
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
        "weight and margin are sufficient",
        "一致度・差とも十分",
        "nothing",
        "何もしなくて構いません";
    /// REVIEW: the weight lies between the thresholds.
    BetweenThresholds = "BETWEEN_THRESHOLDS",
        "the weight lies between the two thresholds",
        "一致度が二つのしきい値の間",
        "a clerk looks",
        "職員が確認";
    /// AMBIGUOUS: a rival is too close.
    SmallMargin = "SMALL_MARGIN",
        "another resident fits almost as well",
        "ほぼ同程度に一致する別の住民がいる",
        "find what tells the two apart",
        "2人の違いを探す";
    /// AMBIGUOUS: a rival fits exactly as well.
    Tie = "TIE",
        "another resident fits exactly as well",
        "全く同程度に一致する別の住民がいる",
        "find what tells the two apart; `register_id` is the lesser id, not the better one",
        "2人の違いを探す。`register_id`は識別番号の小さい方で、より良い方ではありません";
    /// AMBIGUOUS: the line does not prove whom it names: its given name is another's or the account holder's alone, or a name
    /// is all it has.
    NameUnproven = "NAME_UNPROVEN",
        "everything fits but the name the line gives, or the line gives nothing but a name",
        "氏名以外は一致するが氏名の裏付けがない、または氏名しか手掛かりがない",
        "look at the given name on the form: a twin, or a relative whose account it is, may be meant",
        "同じ誕生日のきょうだい（双子）や口座名義の家族ではないか、申請書の名を確かめる";
    /// AMBIGUOUS: several lines contend for one person.
    Contended = "CONTENDED",
        "several lines contend for the same resident",
        "複数の行が同じ住民を取り合っている",
        "look at all lines that name this resident",
        "その住民を指す行をまとめて見る";
    /// DUPLICATE: the best person is held by the line named after the colon.
    HeldByLine = "HELD_BY_LINE",
        "the resident is held by another line",
        "その住民は別の行に割り当て済み",
        "compare with the line named after the colon",
        "コロンの後の行と見比べる";
    /// NOT_FOUND: candidates were compared and none reaches the review threshold.
    BelowReviewThreshold = "BELOW_REVIEW_THRESHOLD",
        "no candidate reaches the review threshold",
        "確認しきい値に達する候補がない",
        "back to the owner of the list",
        "所管課に戻す";
    /// NOT_FOUND: no register record shares a blocking key.
    NoCandidate = "NO_CANDIDATE",
        "no resident shares a blocking key",
        "候補となる住民がいない",
        "back to the owner of the list",
        "所管課に戻す";
    /// NOT_FOUND: whom the line could mean are too many to compare.
    TooCommon = "TOO_COMMON",
        "what the line says is shared by too many residents to compare",
        "同じ内容の住民が多すぎて比較できない",
        "back to the owner of the list, for more details",
        "所管課に戻し、項目を補ってもらう";
    /// UNLINKABLE: no field of the line is usable as evidence.
    NoEvidence = "NO_EVIDENCE",
        "no field of the line is usable as evidence",
        "照合に使える項目がない",
        "back to the owner: name, birthday or address is needed",
        "所管課に戻す。氏名・生年月日・住所が必要";
    /// REJECTED_INPUT: the id is empty.
    IdMissing = "ID_MISSING",
        "the id is empty",
        "識別番号が空",
        "have the id filled in",
        "識別番号を入れてもらう";
    /// REJECTED_INPUT: what stands for an id cannot be one.
    IdUnusable = "ID_UNUSABLE",
        "the id has a control character or is longer than 256 bytes",
        "識別番号に制御文字があるか、256バイトを超えている",
        "have the id written again; results have the line without an id, at its place in the list, and `check` names its line",
        "識別番号を出力し直してもらう。結果では番号なしで、リストと同じ位置の行に載る。行番号は`check`で分かる";
    /// REJECTED_INPUT: the id stands on more than one line.
    IdRepeated = "ID_REPEATED",
        "the id stands on more than one line",
        "識別番号が重複",
        "give each line its own id; every line with that id is rejected",
        "行ごとに別の番号にする。同じ番号の行はすべて受付不可になります";
    /// Two records of a register have ids that differ by the zeros in front alone.
    IdDiffersByZeros = "ID_DIFFERS_BY_ZEROS",
        "the register has two records whose ids differ by zeros in front alone: they would be taken for one person",
        "先頭の0だけが違う識別番号の記録が台帳に二つある（同じ人とみなされてしまう）",
        "the line that is named has the second of the two ids, or one that the register has with more or fewer zeros. Where it is one person, leave one of them out; where a spreadsheet has taken zeros, have the file written again; two people need ids that differ in more than zeros. Nothing was taken in",
        "示された行の番号は、別の行または台帳にある番号と先頭の0の数だけが違う。同じ人なら一方を除く。表計算で0が落ちたのなら出力し直してもらう。別の人なら、0以外でも区別できる番号にする。何も取り込まれていません";
    /// REJECTED_INPUT: the line has too few or too many fields.
    FieldCount = "FIELD_COUNT",
        "the line has too few or too many fields",
        "項目数が違う",
        "look for a stray comma, quote or line break in this line",
        "その行の余分なコンマ・引用符・改行を探す";
    /// REJECTED_INPUT: bytes that are no text in the file's encoding.
    Undecodable = "UNDECODABLE",
        "bytes that are no text in the file's encoding",
        "文字コードとして読めないバイトがある",
        "have the file written again in UTF-8 or CP932",
        "UTF-8またはCP932で出力し直してもらう";
    /// REJECTED_INPUT: the amount cannot be read.
    AmountUnreadable = "AMOUNT_UNREADABLE",
        "the amount cannot be read",
        "金額が読めない",
        "have the amount corrected (more than 999,999,999,999 yen is unreadable too)",
        "金額を直してもらう（999,999,999,999円を超える金額も読めません）";
    /// REJECTED_INPUT: the line carries a My Number.
    MyNumber = "MY_NUMBER",
        "the line carries a My Number",
        "個人番号が含まれる",
        "have the number removed; delete the file you received",
        "番号を除いてもらい、受け取ったファイルは削除する";
    /// A file of the wrong kind, or a damaged one.
    UnreadableFile = "UNREADABLE_FILE",
        "the file cannot be read",
        "ファイルを読めない",
        "see the message; have the file written again",
        "メッセージを見て、出力し直してもらう";
    /// A column that is needed is absent.
    ColumnMissing = "COLUMN_MISSING",
        "a needed column is absent",
        "必要な列がない",
        "name the column as in the list above, or write a schema",
        "列の名前を上の表に合わせるか、スキーマを書く";
    /// Two columns have the same name, or a name is empty.
    HeaderInvalid = "HEADER_INVALID",
        "the header repeats or omits a column name, or has a column that the register was not set up with",
        "見出しの列名が重複または空か、台帳の登録にない列がある",
        "give each column a name of its own; of a register, leave out the column that is named, or set the register up with it (`dataset create --fields`)",
        "列ごとに別の名前を付ける。台帳では、示された列を除くか、その列を含めて台帳を登録する（`dataset create --fields`）";
    /// The schema, layout, model or configuration file is wrong.
    ConfigurationInvalid = "CONFIGURATION_INVALID",
        "a schema, layout, model or configuration file is wrong",
        "設定ファイルに誤りがある",
        "correct the file named in the message",
        "メッセージにあるファイルを直す";
    /// The certificate names nobody in the directory.
    NotRegistered = "NOT_REGISTERED",
        "the certificate names nobody in the directory",
        "証明書の名義が登録されていない",
        "ask an operator to register you; nothing was done",
        "運用者に登録を依頼する。何も行われていません";
    /// The system or person is shut out.
    PartyRevoked = "PARTY_REVOKED",
        "the system or person is shut out",
        "このシステムまたは職員は利用停止中",
        "ask an operator",
        "運用者に問い合わせる";
    /// The certificate is revoked, expired or not one of ours.
    CertificateRefused = "CERTIFICATE_REFUSED",
        "the certificate is revoked, expired or not acceptable",
        "証明書が失効・期限切れ、または受け入れられない",
        "ask for a new certificate",
        "新しい証明書を依頼する";
    /// The call needs a role that the caller does not have.
    RoleMissing = "ROLE_MISSING",
        "the call needs a role that the caller does not have",
        "必要な役割がない",
        "ask an operator for the role, or use the client file of somebody who has it",
        "運用者に役割を依頼するか、その役割の人の接続設定を使う";
    /// There is no such thing, or no agreement that allows it; which of the two is not told.
    NoAgreement = "NO_AGREEMENT",
        "no agreement allows this: there is none, or it is not active yet, suspended, ended or for another purpose; an operator looks with `renkei agreement list`",
        "これを認める取決めがない（取決めなし、発効前、停止中、終了、または別の事務のもの）。運用者は `renkei agreement list` で確かめられる",
        "check the id, the purpose, and whether the thing belongs to your agency; ask an operator or the provider for the state and the dates of the agreement (`renkei agreement list`). Unknown and not permitted are answered alike",
        "番号、事務（purpose）、自機関のものかどうかを確かめる。取決めの段階と期間は運用者か提供機関に尋ねる（`renkei agreement list`）。存在しない場合も認められない場合も同じ答えになります";
    /// The one-time token is unknown, over, or bound to another key; which of these is not told.
    InvitationRefused = "INVITATION_REFUSED",
        "the one-time token is unknown, over or used with another key; ask an operator for a new one",
        "登録用トークンが無効、期限切れ、または別の鍵で使用済み。運用者に新しいトークンを依頼する",
        "ask the operator who gave it to you. If you had used it before, say so: somebody else may have it",
        "トークンを渡した運用者に連絡する。以前に一度使えていた場合は、必ずその旨を伝える（他人が使った可能性があります）";
    /// The request id was used before, for another request.
    RequestReused = "REQUEST_REUSED",
        "the request id was used for another request; make a new one",
        "要求番号が別の要求に使われている。新しい番号で送り直す",
        "leave `--request-id` away, or repeat exactly the same command",
        "`--request-id`を付けないか、全く同じコマンドを繰り返す";
    /// A field of the request is missing or cannot be read.
    FieldInvalid = "FIELD_INVALID",
        "a field of the request is missing or cannot be read",
        "要求の項目が空か、読めない",
        "correct the field that the message names",
        "メッセージにある項目を直す";
    /// It is there already.
    AlreadyExists = "ALREADY_EXISTS",
        "it exists already",
        "既に存在する",
        "look for what is there; a name can be used once, a list is linked once",
        "既にあるものを探す。名前は一度だけ、リストの照合も一度だけです";
    /// It is at a step at which this cannot be done.
    WrongState = "WRONG_STATE",
        "it is at a step at which this cannot be done",
        "現在の段階ではこの操作はできない",
        "see at which step it is (`list reconcile`, `programme show`, `agreement list`, `review queue`): deliveries are acknowledged in their order",
        "どの段階にあるかを見る（`list reconcile`、`programme show`、`agreement list`、`review queue`）。配信は番号順に受領確認する";
    /// The receiver has not read an entry of the feed, or has not acknowledged it.
    NotDelivered = "NOT_DELIVERED",
        "the receiver has not read it, or has not acknowledged it",
        "受領側がまだ受け取っていないか、受領確認をしていない",
        "the receiver reads the entry first (`delivery read`) and acknowledges what it counted (`--ack`, or `delivery ack`); returns and refunds come after that",
        "受領側が先に`delivery read`で受け取り、数えた件数と金額を受領確認する（`--ack`または`delivery ack`）。返却や返還の報告はその後";
    /// Nothing is on hold under this name.
    NotOnHold = "NOT_ON_HOLD",
        "no stop stands there, or not under this id",
        "停止されていないか、この番号では停止されていない",
        "a stop of one payee is lifted under the id that it was placed on: the person's, or that of the household or of another member; `programme show` says how many stops there are and who placed them",
        "受給者ごとの停止は、停止したときと同じ番号（本人、世帯、または世帯の別の人の番号）で解除する。停止の数と停止した人は`programme show`で分かる";
    /// It has changed since it was read.
    VersionOld = "VERSION_OLD",
        "it has changed since it was read; read it again, or draw the batch up again (without --batch)",
        "読み込んだ後に変更された。読み直す（確定対象は--batchなしで作り直す）",
        "read it again, then decide again; a batch of which this is said is drawn up again (`list certify` without `--batch`)",
        "読み直してから、もう一度行う。確定対象のときは作り直す（`--batch`なしの`list certify`）";
    /// A second person is needed.
    SamePerson = "SAME_PERSON",
        "the second signature must come from another person",
        "二人目は別の人でなければならない",
        "another person must do it",
        "別の人が行う";
    /// A certifier has decided a line of the batch.
    OwnDecision = "OWN_DECISION",
        "who decided a line cannot certify it",
        "自ら判断した行は確定できない",
        "a certifier who decided no line of the batch must do it",
        "その中の行を判断していない確定者が行う";
    /// The declared lines or yen differ from those that were counted.
    TotalsDiffer = "TOTALS_DIFFER",
        "the declared lines or yen differ from what was counted",
        "申告された件数または金額が集計と一致しない",
        "ask the system that made the file for its lines and yen; send the whole file again if some are missing. At an acknowledgement: count again, and do not pay",
        "ファイルを作ったシステムの件数と金額を確かめ、足りなければ全体を送り直す。受領のときは数え直し、支払わない";
    /// The declared bytes or digest differ from what arrived.
    BytesDiffer = "BYTES_DIFFER",
        "the declared bytes or digest differ from what arrived",
        "申告されたバイト数または要約値が受信内容と一致しない",
        "upload the same file that is sealed",
        "確定するのと同じファイルを送る";
    /// The digest is not that of the thing that was shown.
    DigestDiffers = "DIGEST_DIFFERS",
        "the digest is not that of what is to be signed",
        "要約値が署名対象と一致しない",
        "examine the batch again: it is not the one you were shown",
        "もう一度内容を調べる。見たものとは別の内容です";
    /// A chunk does not begin where the last one ended.
    OffsetWrong = "OFFSET_WRONG",
        "a chunk must begin where the durable bytes end",
        "送信位置が保存済みの末尾と一致しない",
        "ask how far the upload is durable, and go on there; the command does it by itself",
        "保存済みの位置を尋ね、続きから送る（コマンドは自動で行います）";
    /// The bytes of a chunk do not have its checksum.
    ChecksumWrong = "CHECKSUM_WRONG",
        "the bytes do not have their checksum",
        "検査値が一致しない",
        "send the chunk again",
        "その部分を送り直す";
    /// A limit on size is passed.
    TooLarge = "TOO_LARGE",
        "a limit on size is passed",
        "大きさの上限を超えている",
        "split the file, or have the limit raised",
        "ファイルを分けるか、上限を上げてもらう";
    /// The clerk's lease on the task has ended, or the task was never theirs.
    LeaseLost = "LEASE_LOST",
        "the task is not leased to the caller; claim it again",
        "担当期限が切れている。もう一度受け取る",
        "take the task again with `review next`",
        "`review next`でもう一度受け取る";
    /// The register has no snapshot yet.
    NoRegister = "NO_REGISTER",
        "the register has not been uploaded yet",
        "台帳がまだ登録されていない",
        "upload the register first",
        "先に台帳を提出する";
    /// The delta is not the next one of its register.
    DeltaGap = "DELTA_GAP",
        "the delta is not the next one; send the one that is expected",
        "差分の番号が続いていない。次の番号から送り直す",
        "the refusal names the number that is expected; send the deltas from there on, in order",
        "表示された番号の差分から、順に送る";
    /// Another delta of this number was applied before.
    DeltaDiffers = "DELTA_DIFFERS",
        "another delta of this number was applied before",
        "同じ番号の別の差分が適用済み",
        "compare the file with what was sent under that number; what is new goes out under the number that is expected",
        "その番号で送ったファイルと比べる。新しい内容は次の番号で送る";
    /// The provider has withdrawn the register.
    Withdrawn = "WITHDRAWN",
        "the register has been withdrawn by its provider",
        "台帳は提供機関が取り下げた",
        "ask the providing agency; what was certified before stays",
        "提供機関に確認する。確定済みの支給はそのまま残ります";
    /// It is not known who is protected, or no longer: addresses are withheld of everybody, and nothing is certified.
    ProtectionStale = "PROTECTION_STALE",
        "the list of protected persons is missing or too old; until the provider reports again, addresses are withheld of everybody and nothing is certified",
        "支援措置の情報がないか古い。提供機関が再送するまで全員の住所を伏せ、確定も止める",
        "the providing agency sends `dataset protect`, an empty file if nothing has changed",
        "提供機関が`dataset protect`で送る（変更がなければ空のファイル）";
    /// Too few witnesses have cosigned the log within the grace, so that nothing is released or exported.
    NotWitnessed = "NOT_WITNESSED",
        "too few witnesses have cosigned the log of late; nothing is released or exported until they have, all else goes on",
        "監査ログへの立会者の連署が足りないか古い。連署されるまで確定と書き出しを止める（他の業務は続く）",
        "the operator finds out why the witnesses do not answer (`selfcheck`, process log), or brings the cosignatures as files (`audit witness`)",
        "運用者が立会者に届かない原因を調べる（`selfcheck`、プロセスログ）か、連署をファイルで届ける（`audit witness`）";
    /// No policy says which witnesses cosign the log, so that what they say is kept nowhere.
    NoWitnessPolicy = "NO_WITNESS_POLICY",
        "this broker has no policy of witnesses, so it knows nobody's cosignature; name the policy under [witness] in its configuration and restart it",
        "立会者の方針がなく、どの連署も確かめられない。設定の[witness]に方針ファイルを書いて再起動する",
        "the operator does so (operations, section 3); then hand the same answers in again",
        "運用者が行う（運用手引きの3）。その後、同じ答えをもう一度渡す";
    /// A witness knows another past of the log than the log has; the broker only reads.
    LogDisputed = "LOG_DISPUTED",
        "a witness knows another past of the log; nothing is changed or signed until an operator has accepted what is known",
        "立会者の知る監査ログの過去と一致しない。運用者が確認するまで変更も署名もしない",
        "stop, keep everything as it is, tell the auditor; operations, section 9, says how to go on",
        "作業を止め、そのまま保管し、監査人に連絡する。再開の手順は運用手引きの9";
    /// The register's index is being built.
    IndexLoading = "INDEX_LOADING",
        "the register is being loaded; try again in some seconds",
        "台帳を読み込み中。数秒後に再試行する",
        "try again some seconds later",
        "数秒後にやり直す";
    /// The payee is paid by another line of the programme.
    AlreadyPaid = "ALREADY_PAID",
        "the payee is paid by another line of this programme, or will be by its proposal",
        "この給付事業の別の行で支給済み、または支給の案がある",
        "the line repeats another list's; decide it as a duplicate. Lines that are left out of a batch are told as a number; where none is left, the proposal is refused",
        "別のリストの行の重複です。重複として判断してください。確定対象から除いた行は件数で表示されます。残る行がなければ提案を受け付けません";
    /// The register's record is not known.
    UnknownPerson = "UNKNOWN_PERSON",
        "the register has no such record",
        "台帳に該当する記録がない",
        "check the id in the register; for a programme by household, whether the register has household ids",
        "台帳の番号を確かめる。世帯単位の事業では、台帳に世帯番号があるかを確かめる";
    /// Releases are stopped.
    OnHold = "ON_HOLD",
        "releases are stopped",
        "支払が停止されている",
        "a certified batch waits as `CERTIFIED`, and nothing released is delivered or exported, until two people have lifted the hold; `programme show` says who placed it and why",
        "停止中の確定分は`CERTIFIED`で待ち、配信済みでない分の受取と振込データの作成も、別の人が解除するまでできません";
    /// The agreement's daily volume is used up.
    DailyLimit = "DAILY_LIMIT",
        "the agreement's daily volume is used up",
        "取決めの一日の上限に達した",
        "wait for the next day, or agree on a larger volume",
        "翌日を待つか、上限の大きい取決めを結ぶ";
    /// An amount is above what the programme allows for a line.
    AmountAboveMax = "AMOUNT_ABOVE_MAX",
        "an amount is above what the programme allows for one line",
        "一行の金額が給付事業の上限を超えている",
        "have the amount corrected, or the programme's `line_yen_max`",
        "金額を直してもらうか、給付事業の`line_yen_max`を確かめる";
    /// An amount does not follow the programme's amount rule.
    AmountOffRule = "AMOUNT_OFF_RULE",
        "an amount does not follow the programme's amount rule",
        "金額が給付事業の支給額の定めに合わない",
        "have the line corrected, or the programme set up with the right rule",
        "その行の金額を直してもらう";
    /// A list without lines cannot take the place of another.
    EmptyList = "EMPTY_LIST",
        "a list without lines cannot take the place of another",
        "行のないリストでは差し替えられない",
        "put payees on hold or exclude them instead",
        "受給者の停止または除外を使う";
    /// Payees of a push list may still decline.
    TooEarly = "TOO_EARLY",
        "payees of this list may still decline; certify it after that day",
        "辞退の期限前。期限の翌日から確定できる",
        "wait until the day after `decline_until`",
        "`decline_until`の翌日まで待つ";
    /// A bank detail that a transfer needs is missing or cannot be read.
    BankDetailsMissing = "BANK_DETAILS_MISSING",
        "a line lacks a bank detail that a transfer needs",
        "振込に必要な口座情報が足りない行がある",
        "have the line's account corrected; it goes into a later list",
        "その行の口座情報を直してもらい、後のリストに入れる";
    /// No payable line is left.
    NothingToCertify = "NOTHING_TO_CERTIFY",
        "no payable line is left that is free: they are in a batch, on hold, excluded, or lack what a transfer needs",
        "確定できる支給対象行がない（確定済み、支給保留中、支給対象外、又は振込に必要な項目の不足）",
        "see the list's sheet and the programme's stops (`list reconcile`, `programme show`); decide open lines first if there are any",
        "リストの照合表と事業の保留（list reconcile、programme show）を確かめる。未判断の行があれば先に判断する";
    /// No transfer of the batch that is still out fits a row of the bank's report.
    UnknownTransfer = "UNKNOWN_TRANSFER",
        "no transfer of this batch that is still out fits the row; nothing of the file was taken",
        "この行に当たる未返却の振込がない。ファイル全体を受け付けていない",
        "see whether the file is that of this batch, and whether the row was reported before",
        "この確定対象のファイルか、既に報告した行でないかを確かめる";
    /// Several transfers fit a row of the bank's report.
    AmbiguousTransfer = "AMBIGUOUS_TRANSFER",
        "several transfers of this batch fit the row; name the line's id in the file",
        "この行に当たる振込が複数ある。申請番号の列を加える",
        "add a column 申請番号 to the file",
        "ファイルに申請番号の列を加える";
    /// A refund of more than was paid.
    RefundAbovePaid = "REFUND_ABOVE_PAID",
        "a refund must be more than nothing and no more than is still paid",
        "返還額は1円以上、支給済みの残額以下",
        "check the amount and what was given back before",
        "金額と、以前の返還を確かめる";
    /// The list of this id has no such line, or it is not at a step at which this can be done.
    UnknownLine = "UNKNOWN_LINE",
        "the list has no line of this id that this could be done to",
        "リストに該当する行がない",
        "check the id; with `--lines-only` every line must be one of the earlier list",
        "申請番号を確かめる。`--lines-only`では、どの行も元のリストにあるものに限る";
    /// A corrected list has taken the place of the list or the line.
    Superseded = "SUPERSEDED",
        "a corrected list has taken its place",
        "訂正後のリストに差し替え済み",
        "go on with the corrected list",
        "訂正後のリストで続ける";
    /// The lines of a list do not add up: a fault of ours, and nothing was changed.
    Unbalanced = "UNBALANCED",
        "the lines of this list do not add up; nothing was changed; stop paying and tell the broker's operator",
        "リストの件数または金額が合わない。何も変更していない。支払を止めて運用者に連絡する",
        "stop paying; the operator finds in the process log what does not add up",
        "支払を止める。運用者は、何が合わないかを処理記録で調べる";
    /// The line is in a batch.
    InBatch = "IN_BATCH",
        "the line is in a batch and cannot be changed",
        "確定対象に含まれる行は変更できない",
        "a decision in a certified batch stands; one in a proposal can still be revised, and the proposal falls",
        "確定済みの行の判断は変えられません。提案中なら変更でき、その提案は無効になります";
    /// The same file was sealed in this programme before.
    SameFile = "SAME_FILE",
        "the same file is already a list of this programme",
        "同じファイルがこの給付事業のリストとして登録済み",
        "the file is there already; look for the earlier list. A file that takes the place of that list is taken",
        "登録済みのリストを探す。そのリストに代わる訂正としてなら受け付ける";
    /// A state of a register is in use, is needed, or may be kept for longer.
    Retained = "RETAINED",
        "it is in use, still needed, or the time that agreements give it is not over",
        "使用中か、まだ必要か、取決めの保存期間内のため消去できない",
        "see with `dataset retention` what keeps it, and until when",
        "`dataset retention`で、残る理由と期限を見る";
    /// What is asked for was destroyed with its key.
    DataDestroyed = "DATA_DESTROYED",
        "the data has been destroyed",
        "データは消去済み",
        "send the file again where that is meant",
        "必要なら、ファイルを提出し直す";
    /// The storage is full: nothing was changed.
    StorageFull = "STORAGE_FULL",
        "the storage is full; nothing was changed",
        "記憶領域が不足。何も変更していない",
        "tell the operator; repeat the same request afterwards",
        "運用者に連絡し、後で同じ要求を繰り返す";
    /// More calls than can be served.
    Overloaded = "OVERLOADED",
        "more calls than can be served; try again",
        "混雑中。時間をおいて再試行する",
        "try again later",
        "時間をおいてやり直す";
    /// The caller has made more calls in a minute than it may.
    TooManyCalls = "TOO_MANY_CALLS",
        "you have made more calls than your quota allows within a minute; wait some seconds",
        "一分間に許される呼出しの数を超えた。数秒待つ",
        "call less often, or ask the operator for a larger quota",
        "呼出しの間隔をあけるか、上限の引上げを運用者に依頼する";
    /// The caller's clock and the broker's are too far apart.
    ClockSkew = "CLOCK_SKEW",
        "your clock and the broker's are too far apart; nothing was changed",
        "呼出し側と連携サーバーの時計の差が大きすぎる。何も変更していない",
        "set the clock of the machine that is wrong, by NTP, and send the request again",
        "ずれている方の時計をNTPなどで合わせ、要求を送り直す";
    /// The deadline of the call has passed; the same request may be sent again.
    DeadlineExceeded = "DEADLINE_EXCEEDED",
        "the call took too long; send the same request again",
        "時間切れ。同じ要求を再送してよい",
        "send the same request again, with the same `--request-id`",
        "同じ`--request-id`で同じ要求を繰り返す";
    /// The broker is stopping.
    Stopping = "STOPPING",
        "the broker is stopping; try again",
        "停止処理中。後で再試行する",
        "try again when the broker is back",
        "サーバーが戻ってからやり直す";
    /// The engine's job failed.
    JobFailed = "JOB_FAILED",
        "the job failed",
        "処理に失敗した",
        "tell the operator; link again with `job create`",
        "運用者に連絡する。`job create`でもう一度照合できる";
    /// A model is for other fields, was made by another engine, or has comparisons that no line taught anything about.
    ModelUnfit = "MODEL_UNFIT",
        "the model is for other fields or another engine, or parts of it are untrained; train one on a list that has every field",
        "モデルの項目や版が合わないか、学習していない項目があります。すべての項目があるリストで学習し直してください",
        "train a model on a fuller list, or lay the promoted one aside",
        "項目のそろったリストで学習し直すか、使用中のモデルを外す";
    /// A list is too short to train a model.
    TooFewLines = "TOO_FEW_LINES",
        "the list has too few lines to train a model",
        "モデルを学習するにはリストの行が少なすぎます",
        "train on a list of 50 lines or more",
        "50行以上のリストで学習する";
    /// A fault of ours.
    Internal = "INTERNAL",
        "a fault of the broker; see its log",
        "内部エラー。連携サーバーの記録を参照",
        "tell the operator, with the time",
        "時刻を添えて運用者に連絡する";
}

impl Reason {
    /// Whether it says why a line of a list got its outcome; nothing is ever refused for it.
    pub fn is_of_an_outcome(self) -> bool {
        matches!(
            self,
            Self::AboveLinkThreshold
                | Self::BetweenThresholds
                | Self::SmallMargin
                | Self::Tie
                | Self::NameUnproven
                | Self::Contended
                | Self::HeldByLine
                | Self::BelowReviewThreshold
                | Self::NoCandidate
                | Self::TooCommon
                | Self::NoEvidence
        )
    }
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
