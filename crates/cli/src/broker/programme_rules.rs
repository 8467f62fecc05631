//! The rules of a programme, from a file and options.
//!
//! ```toml
//! agency = "131016/benefits"
//! name = "relief-2026"
//! title = "物価高騰対応給付金"
//! base_date = "2026-06-01"
//! unit = "household"              # or person
//! line_yen_max = 100000
//! transfer_date = "2026-12-01"
//! decline_until = "2026-11-20"    # 辞退: nothing of a push list is certified before the day after
//! [amount]                        # fixed = 50000; or, for each child or member:
//! each = 20000
//! at_most = 12
//! [change_limits]                 # a corrected list beyond them is put on hold
//! vanished_percent = 10
//! total_percent = 20
//! [consignor]                     # only where a bank's transfer file is needed
//! code = "0000000001"
//! name_kana = "ﾚﾝｹｲｼ"
//! bank_code = "0001"
//! branch_code = "001"
//! account_type = 1
//! account_number = "0000001"
//! ```
//! What the options say wins over the file; the consignor stands in the file only.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum as _};
use jiff::civil::Date;
use renkei_api::v1::amount_rule::Rule;
use renkei_api::v1::{AmountRule, ChangeLimits, Consignor, EachAmount, PayeeUnit, Programme};
use renkei_types::{AgencyId, Slug};
use serde::Deserialize;

use super::error::BrokerError;
use super::names::UnitArgument;
use crate::failure::Failure;
use crate::table_input::read_text;

#[derive(Args, Debug, Default)]
pub(crate) struct RulesArguments {
    /// The rules (TOML); options win over it
    #[arg(value_name = "FILE.toml")]
    file: Option<PathBuf>,
    /// The agency that pays
    #[arg(long, value_name = "AGENCY")]
    agency: Option<AgencyId>,
    /// A short name, unique within the agency
    #[arg(long, value_name = "NAME")]
    name: Option<Slug>,
    /// Its name for people
    #[arg(long, value_name = "TEXT")]
    title: Option<String>,
    /// Base date (基準日)
    #[arg(long, value_name = "DATE")]
    base_date: Option<Date>,
    /// Whom it pays
    #[arg(long)]
    unit: Option<UnitArgument>,
    /// Most yen that one line may pay
    #[arg(long, value_name = "YEN")]
    line_yen_max: Option<u64>,
    /// Day of the transfers
    #[arg(long, value_name = "DATE")]
    transfer_date: Option<Date>,
}

/// The file of a programme.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct RulesFile {
    agency: Option<AgencyId>,
    name: Option<String>,
    title: Option<String>,
    base_date: Option<String>,
    unit: Option<String>,
    line_yen_max: Option<u64>,
    transfer_date: Option<String>,
    decline_until: Option<String>,
    amount: Option<AmountFile>,
    change_limits: Option<LimitsFile>,
    consignor: Option<ConsignorFile>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct AmountFile {
    fixed: Option<u64>,
    each: Option<u64>,
    at_most: Option<u32>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct LimitsFile {
    vanished_percent: u32,
    total_percent: u32,
}

/// The amount rule of a file: one of the two.
fn amount(file: AmountFile, path: &Path) -> Result<AmountRule, BrokerError> {
    let rule = match file {
        AmountFile { fixed: Some(yen), each: None, at_most: None } => Rule::FixedYen(yen),
        AmountFile { fixed: None, each: Some(yen), at_most: Some(most) } => {
            Rule::Each(EachAmount { yen, most })
        }
        _ => {
            return Err(BrokerError::ProgrammeFile {
                file: path.display().to_string(),
                line: None,
                what: "[amount] has fixed, or each and at_most".to_owned(),
                japanese: "[amount] には fixed、または each と at_most を書いてください",
            });
        }
    };
    Ok(AmountRule { rule: Some(rule) })
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ConsignorFile {
    code: String,
    name_kana: String,
    bank_code: String,
    branch_code: String,
    account_type: u32,
    account_number: String,
}

impl From<ConsignorFile> for Consignor {
    fn from(file: ConsignorFile) -> Self {
        Self {
            code: file.code,
            name_kana: file.name_kana,
            bank_code: file.bank_code,
            branch_code: file.branch_code,
            account_type: file.account_type,
            account_number: file.account_number,
        }
    }
}

impl RulesArguments {
    /// The programme that file and options describe.
    pub(super) fn programme(&self) -> Result<Programme, Failure> {
        let file = match &self.file {
            Some(path) => parse(&read_text(path)?, path)?,
            None => RulesFile::default(),
        };
        let unit = match (self.unit, &file.unit, &self.file) {
            (Some(unit), _, _) => Some(unit),
            (None, Some(name), Some(path)) => Some(unit_of(name, path)?),
            (None, _, _) => None,
        };
        let unit: PayeeUnit = needed(unit, "unit")?.into();
        // The broker is the judge of days in a file, and names the field.
        let day = |given: Option<Date>, in_file: Option<String>| {
            given.map(|date| date.to_string()).or(in_file)
        };
        let amount = match (file.amount, &self.file) {
            (Some(given), Some(path)) => Some(amount(given, path)?),
            (_, _) => None,
        };
        let limits = |limits: LimitsFile| ChangeLimits {
            vanished_percent: limits.vanished_percent,
            total_percent: limits.total_percent,
        };
        Ok(Programme {
            amount,
            change_limits: file.change_limits.map(limits),
            decline_until: file.decline_until.unwrap_or_default(),
            agency: needed(self.agency.clone().or(file.agency), "agency")?.to_string(),
            name: needed(self.name.as_ref().map(Slug::to_string).or(file.name), "name")?,
            title: needed(self.title.clone().or(file.title), "title")?,
            base_date: needed(day(self.base_date, file.base_date), "base-date")?,
            unit: unit.into(),
            line_yen_max: needed(self.line_yen_max.or(file.line_yen_max), "line-yen-max")?,
            transfer_date: needed(day(self.transfer_date, file.transfer_date), "transfer-date")?,
            consignor: file.consignor.map(Consignor::from),
            ..Programme::default()
        })
    }
}

fn needed<T>(value: Option<T>, option: &'static str) -> Result<T, BrokerError> {
    value.ok_or(BrokerError::OptionMissing { option })
}

fn unit_of(name: &str, path: &Path) -> Result<UnitArgument, BrokerError> {
    UnitArgument::from_str(name, false).map_err(|_| BrokerError::ProgrammeFile {
        file: path.display().to_string(),
        line: None,
        what: "unit is person or household".to_owned(),
        japanese: "unit は person（個人）か household（世帯）です",
    })
}

fn parse(text: &str, path: &Path) -> Result<RulesFile, BrokerError> {
    toml::from_str(text).map_err(|error| BrokerError::ProgrammeFile {
        file: path.display().to_string(),
        line: error.span().map(|span| text[..span.start].matches('\n').count() + 1),
        what: error.message().to_owned(),
        japanese: "TOMLとして読めないか、知らない項目、または値の形が違う項目があります",
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::failure::Exit;

    const FILE: &str = "agency = \"131016/benefits\"\nname = \"relief\"\ntitle = \"給付金\"\n\
        base_date = \"2026-06-01\"\nunit = \"household\"\nline_yen_max = 100000\n\
        transfer_date = \"2026-12-01\"\n[consignor]\ncode = \"0000000001\"\nname_kana = \"ﾚﾝｹｲｼ\"\n\
        bank_code = \"0001\"\nbranch_code = \"001\"\naccount_type = 1\naccount_number = \"0000001\"\n";

    fn written(text: &str) -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("programme.toml");
        fs_err::write(&path, text).expect("written");
        (folder, path)
    }

    #[test]
    fn a_file_gives_the_rules_and_options_win() {
        let (_folder, path) = written(FILE);
        let rules =
            RulesArguments { file: Some(path), line_yen_max: Some(5), ..RulesArguments::default() };
        let programme = rules.programme().map_err(|_| "refused").expect("a programme");
        assert_eq!(programme.agency, "131016/benefits");
        assert_eq!(programme.unit(), PayeeUnit::Household);
        assert_eq!((programme.base_date.as_str(), programme.line_yen_max), ("2026-06-01", 5));
        assert_eq!(programme.consignor.expect("a consignor").bank_code, "0001");
    }

    #[test]
    fn an_amount_rule_is_fixed_or_for_each_and_not_both() {
        let rule = |text: &str| {
            let (_folder, path) =
                written(&FILE.replace("[consignor]", &format!("{text}\n[consignor]")));
            let rules = RulesArguments { file: Some(path), ..RulesArguments::default() };
            rules.programme().ok().and_then(|programme| programme.amount?.rule)
        };
        assert_eq!(rule("[amount]\nfixed = 50000"), Some(Rule::FixedYen(50_000)));
        let each = EachAmount { yen: 20_000, most: 12 };
        assert_eq!(rule("[amount]\neach = 20000\nat_most = 12"), Some(Rule::Each(each)));
        assert_eq!(rule("[amount]\nfixed = 1\neach = 2\nat_most = 3"), None);
        assert_eq!(rule("[amount]\neach = 2"), None);
    }

    #[test]
    fn a_wrong_key_is_named_with_its_line() {
        let error = parse(&FILE.replace("title", "titel"), Path::new("p.toml")).expect_err("typo");
        assert!(error.to_string().starts_with("p.toml, line 3: "), "{error}");
    }

    #[test]
    fn what_neither_file_nor_options_say_is_asked_for() {
        let failure = RulesArguments::default().programme().expect_err("nothing given");
        assert!(failure.message(renkei_types::Language::English).contains("--unit"));
        assert_eq!(failure.exit(), Exit::Unusable);
    }
}
