//! Commands against a broker: one file per noun, its arguments beside it.
//!
//! Every command reads its arguments, makes one errand of calls through a [`session::Session`], and prints what came of
//! it: data to standard output, words to standard error. Who calls is decided by the client file (`--as`) alone. A change
//! carries a request id that can be given again with `--request-id`, so that whoever was cut off repeats instead of doing
//! things twice. What the calls mean is written in `proto/renkei/v1`.

mod agency;
mod agreement;
mod audit;
mod bundle;
mod cells;
mod code;
mod code_words;
mod control_totals;
mod dataset;
mod delivery;
mod enrolment;
mod error;
mod explained;
mod hand_over;
mod households;
mod identify;
mod invitation;
mod job;
mod join;
mod key;
mod leaf_words;
mod list;
mod log_query;
mod model;
mod month_report;
mod names;
mod new_file;
mod party;
mod payments;
mod plan;
mod programme;
mod programme_rules;
mod programme_shown;
mod protection;
mod results;
mod returned;
mod review;
mod sample;
mod session;
mod sheet;
mod states;
mod subject;
mod subject_query;
mod task_table;
mod united_roles;
mod unknown_ids;
mod watch;
mod witness;
mod written_table;

use clap::Subcommand;

pub(crate) use session::plain;
pub(crate) use sheet::step_name;
pub(crate) use united_roles::of_all as united_roles_of_all;

#[cfg(test)]
pub(crate) use names::short;

use crate::environment::Environment;
use crate::failure::{Exit, Failure};

/// The nouns that a broker keeps.
#[derive(Debug, Subcommand)]
pub(crate) enum BrokerCommand {
    /// Legal bodies that take part
    #[command(subcommand)]
    Agency(agency::AgencyCommand),
    /// Persons and their roles
    #[command(subcommand)]
    Person(party::PersonCommand),
    /// Systems and their roles
    #[command(subcommand)]
    System(party::SystemCommand),
    /// Requests for certificates, on their way to whoever signs and back
    #[command(subcommand)]
    Enrolment(enrolment::EnrolmentCommand),
    /// Ask for the first certificate with a one-time token, and fetch it
    Join(join::JoinArguments),
    /// Ask for a further certificate with the present one (--as), and fetch it
    Renew,
    /// The broker's own keys
    #[command(subcommand)]
    Key(key::KeyCommand),
    /// Registers that agencies provide
    #[command(subcommand)]
    Dataset(dataset::DatasetCommand),
    /// Rights to use a dataset
    #[command(subcommand)]
    Agreement(agreement::AgreementCommand),
    /// Benefits and their rules
    #[command(subcommand)]
    Programme(programme::ProgrammeCommand),
    /// Lists of lines to be linked and paid
    #[command(subcommand)]
    List(list::ListCommand),
    /// Linkage jobs
    #[command(subcommand)]
    Job(job::JobCommand),
    /// Models that are trained on lists and used for a register
    #[command(subcommand)]
    Model(model::ModelCommand),
    /// Doubtful lines and the clerks who decide them
    #[command(subcommand)]
    Review(review::ReviewCommand),
    /// The numbered feed of released batches
    #[command(subcommand)]
    Delivery(delivery::DeliveryCommand),
    /// Link codes, by which a consumer knows residents whose ids it is not given
    #[command(subcommand)]
    Code(code::CodeCommand),
    /// Ask who in a register a record means
    Identify(identify::IdentifyArguments),
    /// The log, for those who do not trust the operator
    #[command(subcommand)]
    Audit(audit::AuditCommand),
}

/// Runs a command.
pub(crate) fn run(command: &BrokerCommand, environment: &Environment) -> Result<Exit, Failure> {
    match command {
        BrokerCommand::Agency(command) => agency::run(command, environment),
        BrokerCommand::Person(command) => party::run_person(command, environment),
        BrokerCommand::System(command) => party::run_system(command, environment),
        BrokerCommand::Enrolment(command) => enrolment::run(command, environment),
        BrokerCommand::Join(arguments) => join::run_join(arguments, environment),
        BrokerCommand::Renew => join::run_renew(environment),
        BrokerCommand::Key(command) => key::run(command, environment),
        BrokerCommand::Dataset(command) => dataset::run(command, environment),
        BrokerCommand::Agreement(command) => agreement::run(command, environment),
        BrokerCommand::Programme(command) => programme::run(command, environment),
        BrokerCommand::List(command) => list::run(command, environment),
        BrokerCommand::Job(command) => job::run(command, environment),
        BrokerCommand::Model(command) => model::run(command, environment),
        BrokerCommand::Review(command) => review::run(command, environment),
        BrokerCommand::Delivery(command) => delivery::run(command, environment),
        BrokerCommand::Code(command) => code::run(command, environment),
        BrokerCommand::Identify(arguments) => identify::run(arguments, environment),
        BrokerCommand::Audit(command) => audit::run(command, environment),
    }
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory as _, Parser as _};

    use crate::arguments::Arguments;

    const ID: &str = "06bpj3w4q8v1s9c2d5f7g0h1j2";

    /// A command line in which `_` after a noun stands for an id of it.
    fn parses(line: &str) -> bool {
        let word = |word: &str| match word.strip_suffix('_') {
            Some(_) => format!("{word}{ID}"),
            None => word.to_owned(),
        };
        let words = std::iter::once("renkei".to_owned()).chain(line.split(' ').map(word));
        Arguments::try_parse_from(words).is_ok()
    }

    #[test]
    fn no_two_arguments_contradict_each_other() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn every_command_of_the_manual_is_understood() {
        let person = "spiffe://renkei.example/131016/benefits/person/c-1";
        let digest = format!("sha256:{}", "0a".repeat(32));
        let system = "spiffe://renkei.example/131016/benefits/system/payments";
        for line in [
            "agency add 131016/benefits --title X --as a.toml",
            "agency list --json",
            &format!("audit receipt 77 {} --as a.toml", "0a".repeat(32)),
            &format!("person add {person} --role clerk,certifier --request-id request_"),
            &format!("person grant {person} --role clerk"),
            &format!("person revoke {person} --yes"),
            &format!("person revoke {person} --role clerk"),
            "person list",
            &format!("system add {system} --role submitter --role consumer"),
            &format!("system revoke {system}"),
            "system list",
            &format!("system add {system} --role consumer --token --token-days 3"),
            &format!("system invite {system} --days 3"),
            &format!("person invite {person}"),
            "enrolment list",
            &format!("enrolment export {person} --output a.csr"),
            &format!("enrolment grant {person} --certificate a.crt"),
            &format!("enrolment end {person} --yes"),
            "join --broker https://a.example:1 --ca ca.crt --token T --client-file a.toml",
            "renew --as a.toml",
            "key rotate root",
            "key rotate log --yes --vkey log.vkey",
            "roles --markdown",
            "selfcheck --config broker.toml",
            "dataset create --provider 131016/residents --name register --title X --fields a,b",
            "dataset upload dataset_ residents.csv --lines 5 --encoding cp932",
            "dataset protection dataset_ --json",
            "dataset protect dataset_ protected.csv --number 1",
            "dataset withdraw dataset_ --destroy --yes",
            "dataset state dataset_ --purpose P --on 2026-09-01 --known 2026-11-21 --output a.csv",
            "dataset retention dataset_ --yes --request-id request_",
            "dataset apply dataset_ delta.csv --number 3 --lines 5 --encoding cp932",
            "dataset list",
            "agreement propose --consumer 131016/benefits --dataset dataset_ --legal-basis KOJOHO_69_1 \
             --purpose P --fields name_kanji --operations link,review --valid-from 2026-04-01 \
             --valid-until 2027-03-31 --daily-records-max 10 --retention-days 30",
            "agreement approve agreement_",
            "agreement propose --consumer 131016/benefits --dataset dataset_ --legal-basis JOREI \
             --purpose P --operations link --valid-from 2026-04-01 --daily-records-max 10 \
             --retention-days 30",
            "agreement activate agreement_",
            "agreement suspend agreement_",
            "agreement resume agreement_ --request-id request_",
            "agreement end agreement_ --yes",
            "agreement list --ending 60",
            "agreement plan tax-exempt-household --json",
            "agreement bases",
            "programme create p.toml --unit person",
            "programme show programme_",
            "programme hold programme_ --list list_",
            "programme release-hold programme_",
            "list open programme_ --name a",
            "list upload upload_ a.csv",
            "list seal upload_ a.csv --lines 3 --yen 10",
            "list seal upload_ a.csv",
            "list certify list_",
            "list certify list_ --batch batch_",
            "list reconcile list_",
            "list export --batch batch_ --output a.txt",
            "list open programme_ --name again --supersedes list_ --lines-only",
            "list reconcile list_ --output sheet.html",
            "list open programme_ --name push-1 --kind push",
            "programme exclude programme_ declined.csv --reason declined",
            "programme divide programme_ l7.csv --kind dv-separate --request-id request_",
            "programme readmit programme_ again.csv --request-id request_",
            "programme hold programme_ --payee 100000000012345",
            "dataset template L9 --output l9.csv",
            "dataset create --provider 131016/residents --name r --title R --template L1",
            "list accounts --batch batch_",
            "list households list_ --output held.xlsx",
            "list clear-household list_ B0001 --request-id request_",
            "list returns list_ back.csv --batch batch_ --lines 1 --yen 2",
            "list refund list_ B0001 --yen 5000",
            "programme reconcile programme_ --output sheet.xlsx",
            "job create --list list_ --dataset dataset_",
            "job watch job_",
            "job results list_ --output a.xlsx",
            "job estimate --list list_ --dataset dataset_",
            "job explain job_ B0001",
            "job explain job_ B0001 R0001",
            "job why-not job_ B0001 R0001 --json",
            "model train --list list_ --dataset dataset_ --output m.toml --request-id request_",
            "model evaluate --list list_ --dataset dataset_",
            &format!("model evaluate --list list_ --dataset dataset_ --model {digest}"),
            &format!("model promote dataset_ {digest} --expected {digest}"),
            &format!("model promote dataset_ --expected {digest}"),
            "model show dataset_ --output m.toml",
            "review next list_ --parked",
            "review search task_ name_kana=X",
            "review decide task_ --version 1 --none",
            "review park task_ --reason asking-person",
            "review revise task_ --version 2 --link r-1",
            "review release task_",
            "review queue list_ --watch",
            "delivery read programme_ --after 3 --output a.csv --ack",
            "delivery ack programme_ --number 1 --lines 2 --yen 3",
            "code translate dataset_ --input a.csv --output b.csv",
            "identify dataset_ --purpose P name_kana=X",
            "audit query --operations SEAL --from 2026-11-21T00:00:00+09:00",
            "audit query --person c-1,c-2 --agency 131016/benefits --codes NO_AGREEMENT --from-leaf 7 --json",
            "audit query --system spiffe://renkei.example/131016/benefits/system/x --purpose child-allowance",
            "audit query --agreement agreement_ --dataset dataset_",
            "audit query --subject 100000000012345 --subject 7 --dataset dataset_ --purpose relief-2026 --results OK",
            "audit sample --size 60 --as auditor-1.toml --key log.vkey",
            "audit sample bundle --key log.vkey --dice 3-6-2 --json",
            "audit report --month 2026-11 --as auditor-1.toml --output november.html",
            "audit report bundle --key log.vkey --month 2026-11 --office-hours 08:30-17:15 --holiday 2026-11-03,2026-11-23 --mass 200 --exact --json",
            "audit hand-over --year 2026 --output b --key log.vkey --policy policy --as auditor-1.toml",
            "audit bundle --output b",
            "audit bundle --year 2026 --output b",
            "audit checkpoint",
            "audit subject dataset_ --id 100000000012345 --id 7 --proxy --proofs p --request-id request_",
            "audit subject-held dataset_",
            "audit subject-release dataset_ event_ --id 7 --proofs p",
            "audit verify-entries p --key log.vkey",
            "agreement propose --consumer 131016/benefits --dataset dataset_ --legal-basis JOREI \
             --purpose P --operations link --valid-from 2026-04-01 --daily-records-max 10 \
             --retention-days 30 --told-from never",
            "audit proof --leaf 3",
            "audit proof --old-size 3 --size 9",
            "audit bundle --output b --cosigned",
            "audit verify b --key log.vkey --policy w.policy",
            "audit watch --state w --key log.vkey --policy w.policy --interval 30s",
            "audit watch --state w --key log.vkey --folder b --once",
            "audit witness key --name pref.example/w1 --key w.key",
            "audit witness serve --state w --key w.key --log a.vkey --log b.vkey --listen 127.0.0.1:8080",
            "audit witness serve --state w --key w.key --log a.vkey --listen 0.0.0.0:443 --tls-certificate w.crt --tls-key w.tls.key",
            "audit witness sign --state w --key w.key --log a.vkey request.txt answer.txt",
            "audit witness request --old 5 --output request.txt",
            "audit witness request --old 5 --checkpoint log-2026.checkpoint --output request.txt",
            "audit witness accept request.txt one.txt two.txt",
        ] {
            assert!(parses(line), "{line}");
        }
    }

    #[test]
    fn half_a_total_another_nouns_id_and_two_proofs_are_refused() {
        for line in [
            "list seal upload_ a.csv --lines 3",
            "list reconcile job_",
            "list certify list_ --digest sha256:00",
            "audit proof",
            "audit query --subject 7",
            "audit query --subject 7 --dataset dataset_ --person c-1",
            "audit proof --leaf 1 --old-size 2",
            "audit witness serve --state w --key w.key --log a.vkey --listen 0.0.0.0:443 --tls-certificate w.crt",
            "audit witness sign --state w --key w.key request.txt answer.txt",
            "person add spiffe://renkei.example/131016/benefits/person/c-1",
            "identify dataset_ --purpose P --candidates 21",
        ] {
            assert!(!parses(line), "{line}");
        }
    }
}
