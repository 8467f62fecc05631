//! `renkei demo`: a list's whole way through a broker, in under a minute, with nothing but this program.
//!
//! ```text
//! data > certificates > broker > agreements > register > list > link > review > certify > deliver > bank file > audit
//! ```
//! Nothing is staged: the broker is the one that `renkei serve` runs, every participant reaches it over TLS with a
//! certificate of their own, and at the end the log is verified from its exported folder with the public key alone. What
//! is left can be looked at, and served on. All people are synthetic, and the clerks are so good because they know the
//! truth; accuracy is therefore measured before they begin.
//! Invariant: the exit code is 0 only if lines and yen balance at every step, the bank's file says what was certified,
//! and the log verifies.

mod audit;
mod broker;
mod city;
mod closing;
mod counter;
mod data;
mod directory;
mod error;
mod folder;
mod linkage;
mod money;
mod report;
mod review;
mod stages;
mod upload;

use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use renkei_api::v1::{Outcome, Totals};
use renkei_broker::config::BrokerConfig;
use renkei_types::{Entropy, Yen};

use self::broker::DemoBroker;
use self::city::City;
use self::closing::Closing;
use self::data::Data;
use self::folder::{DemoFolder, Ports};
use self::stages::Stages;
use crate::commands::pki::system_entropy::SystemEntropy;
use crate::commands::write_text;
use crate::environment::Environment;
use crate::failure::{CommandError, Exit, Failure};
use crate::json;

/// Questions asked at the counter.
const QUESTIONS: usize = 50;

#[derive(Args, Debug)]
pub(crate) struct DemoArguments {
    /// Residents in the register
    #[arg(long, value_name = "N", default_value_t = 20_000)]
    residents: usize,

    /// Lines in the payment list
    #[arg(long, value_name = "N", default_value_t = 6_000)]
    lines: usize,

    /// Where everything goes; an earlier demo there is replaced
    #[arg(long, value_name = "DIR", default_value = "./renkei-demo")]
    dir: PathBuf,
}

pub(crate) fn run(arguments: &DemoArguments, environment: &Environment) -> Result<Exit, Failure> {
    let entropy: Arc<dyn Entropy> = Arc::new(SystemEntropy::open()?);
    let folder = DemoFolder::prepare(&arguments.dir)?;
    folder.write_config(Ports::choose()?)?;
    let mut stages = Stages::start(environment);
    let (residents, lines) = (arguments.residents, arguments.lines);
    let data = data::make(&folder, environment, residents, lines, QUESTIONS)?;
    let (count, yen) = (data.totals.lines, Yen(data.totals.yen));
    stages.done(
        "generate",
        &format!("{residents} residents; a list of {count} lines and {yen} yen"),
        &format!("住民 {residents} 人、リスト {count} 件 {yen} 円を作成"),
    );
    let issued = city::issue_certificates(&folder, environment.clock, &*entropy)?;
    stages.done(
        "certificates",
        &format!("{issued} certificates issued"),
        &format!("証明書 {issued} 枚を発行"),
    );
    // Somebody may have taken the ports in the meantime.
    let ports = Ports::choose()?;
    folder.write_config(ports)?;
    let config = BrokerConfig::read(&folder.config())?;
    let broker = DemoBroker::start(config, environment.clock, Arc::clone(&entropy))?;
    let city = City { environment, folder: folder.clone(), entropy };
    let closing = tour(&city, &data, ports, &mut stages);
    // The broker ends in any case; what went wrong first is what is told.
    let stopped = broker.stop();
    let closing = closing?;
    stopped?;
    write_text(&folder.report(), &report::render(&closing, environment.language, &stages))?;
    if environment.json {
        json::print(&closing.json(&stages));
    } else {
        closing.print(environment, &stages);
    }
    let (config, page) = (folder.config(), folder.report());
    let (config, page) = (config.display(), page.display());
    environment.note(
        &format!("report: {page}; serve it on with: renkei serve --config {config}"),
        &format!("報告書: {page}。続きは renkei serve --config {config} で起動できます"),
    );
    closing.warn(environment);
    Ok(if closing.is_well() { Exit::Done } else { Exit::FoundWrong })
}

/// Takes the list through the broker. Connections are closed when it returns.
fn tour(
    city: &City<'_>,
    data: &Data,
    ports: Ports,
    stages: &mut Stages<'_>,
) -> Result<Closing, Failure> {
    city::write_client_files(&city.folder, ports)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(CommandError::System)?;
    let port = ports.broker;
    stages.done(
        "found",
        &format!("a broker serves on 127.0.0.1:{port}"),
        &format!("連携サーバーを 127.0.0.1:{port} に開設"),
    );
    let closing = runtime.block_on(walk(city, data, stages));
    runtime.shutdown_background();
    closing
}

async fn walk(city: &City<'_>, data: &Data, stages: &mut Stages<'_>) -> Result<Closing, Failure> {
    let folder = &city.folder;
    let directory = directory::set_up(city, &data.register_fields).await?;
    stages.done(
        "directory",
        "bodies, parties and two agreements: residents to benefits, benefits to treasury",
        "機関・利用者を登録し、取決めを 2 件登録（市民課→給付金室→会計課）",
    );
    let records = data.totals.residents as u64;
    upload::register(city, &directory, &folder.file("residents.csv"), records).await?;
    stages.done(
        "register",
        &format!("register sealed: {records} records"),
        &format!("台帳 {records} 件を確定"),
    );
    let declared = Totals { lines: data.totals.lines as u64, yen: data.totals.yen };
    let list = upload::list(city, &directory, &folder.file("payments.csv"), declared).await?;
    let (lines, yen) = (declared.lines, Yen(declared.yen));
    stages.done(
        "list",
        &format!("list sealed with its control totals: {lines} lines, {yen} yen"),
        &format!("リストを申告値どおり確定: {lines} 件 {yen} 円"),
    );
    let list_id = &list.list_id;
    let job = linkage::link(city, &directory, list_id).await?;
    let of = |wanted: &[Outcome]| -> u64 {
        let fits = |totals: &&renkei_api::v1::OutcomeTotals| wanted.contains(&totals.outcome());
        let lines =
            |one: &renkei_api::v1::OutcomeTotals| one.totals.map_or(0, |totals| totals.lines);
        job.outcomes.iter().filter(fits).map(lines).sum()
    };
    let linked = of(&[Outcome::Linked]);
    let tasks = of(&[Outcome::Review, Outcome::Ambiguous]);
    stages.done(
        "link",
        &format!("{linked} lines linked, {tasks} for clerks"),
        &format!("{linked} 件が一致、{tasks} 件は職員が確認"),
    );
    let before = linkage::results(city, list_id, &data.truth, &folder.file("results.csv")).await?;
    let accuracy = before.evaluation.linked.unwrap_or_default();
    let (precision, recall) = (accuracy.precision, accuracy.recall);
    stages.done(
        "results",
        &format!("against the truth: precision {precision:.6}, recall {recall:.6}"),
        &format!("正解との比較: 適合率 {precision:.6}、再現率 {recall:.6}"),
    );
    let decided = review::review(city, list_id, &data.truth, tasks).await?;
    let (total, aside) = (decided.total(), decided.set_aside);
    stages.done(
        "review",
        &format!("two clerks looked at {total} lines, {aside} of them wait for an answer"),
        &format!("職員 2 人が {total} 件を確認（うち {aside} 件は本人に照会中）"),
    );
    let certified = money::certify(city, list_id).await?;
    let paid = certified.batch.totals.unwrap_or_default();
    let (lines, yen) = (paid.lines, Yen(paid.yen));
    stages.done(
        "certify",
        &format!("certified by two people: {lines} lines, {yen} yen"),
        &format!("2 人で支給を確定: {lines} 件 {yen} 円"),
    );
    let delivered = money::deliver(city, &directory).await?;
    let (lines, yen) = (delivered.lines, Yen(delivered.yen));
    stages.done(
        "deliver",
        &format!("the treasury counted and acknowledged {lines} lines, {yen} yen"),
        &format!("会計課が {lines} 件 {yen} 円を数えて受領"),
    );
    let transferred = money::transfer(city, &certified.batch).await?;
    let (lines, yen) = (transferred.lines, Yen(transferred.yen));
    stages.done(
        "transfer",
        &format!("the bank's file read back: {lines} transfers, {yen} yen"),
        &format!("振込データを読み戻し: {lines} 件 {yen} 円"),
    );
    let answered = counter::ask(city, &directory, &data.questions).await?;
    let (right, questions) = (answered.right, answered.questions);
    let median = answered.median.as_secs_f64() * 1000.0;
    stages.done(
        "identify",
        &format!("{right} of {questions} questions at the counter named the person; median {median:.1} ms"),
        &format!("窓口での照会 {questions} 件中 {right} 件で本人を特定（中央値 {median:.1} ミリ秒）"),
    );
    let after_file = folder.file("results-after-review.csv");
    let after = linkage::results(city, list_id, &data.truth, &after_file).await?;
    let received = list.sealed.counted.unwrap_or_default();
    let reconciled = money::reconcile(city, list_id, received).await?;
    let audited = audit::audit(city, list_id).await?;
    let size = audited.verification.size;
    let about = audited.leaves_about_list;
    stages.done(
        "audit",
        &format!("{size} entries of the log exported and verified, {about} of them about the list"),
        &format!("監査ログ {size} 件を書き出して検証（うちリストに関するもの {about} 件）"),
    );
    Ok(Closing {
        register_records: records,
        declared,
        job,
        before,
        after,
        decided,
        lines_already_paid: certified.lines_already_paid,
        certified: paid,
        delivered,
        transferred,
        answered,
        reconciled,
        audited,
    })
}
