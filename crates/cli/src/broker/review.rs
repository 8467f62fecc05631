//! `renkei review`: doubtful lines and the clerks who decide them.

use clap::{Args, Subcommand};
use renkei_api::outcome_text;
use renkei_api::v1::{
    ClaimRequest, DecideRequest, Outcome, ParkReason, ParkRequest, Queue, ReleaseRequest,
    ReviseRequest, SearchRequest, Verdict, WatchQueueRequest, verdict,
};
use renkei_types::{ListId, TaskId};
use serde_json::{Value, json};

use super::cells::RecordArguments;
use super::code_words::told;
use super::error::reason_text;
use super::identify::tell_notice;
use super::names::ParkArgument;
use super::session::{self, RequestArgument, Session, local_time, plain, receipt_json};
use super::task_table::{candidate_json, candidates_table, task_json};
use crate::environment::Environment;
use crate::failure::{Exit, Failure};
use crate::json;

#[derive(Debug, Subcommand)]
pub(crate) enum ReviewCommand {
    /// Take the next task of a list
    Next {
        /// The list
        list: ListId,
        /// Take one that was set aside
        #[arg(long)]
        parked: bool,
        #[command(flatten)]
        request: RequestArgument,
    },
    /// Look for further candidates
    Search {
        /// A task that you hold
        task: TaskId,
        #[command(flatten)]
        record: RecordArguments,
    },
    /// Decide a task that you hold
    Decide(VerdictArguments),
    /// Set a task aside
    Park {
        /// The task
        task: TaskId,
        /// Why
        #[arg(long)]
        reason: ParkArgument,
        #[command(flatten)]
        request: RequestArgument,
    },
    /// Change a decision, as long as the line is in no batch
    Revise(VerdictArguments),
    /// Give a task back
    Release {
        /// The task
        task: TaskId,
        #[command(flatten)]
        request: RequestArgument,
    },
    /// Show how many tasks there are
    Queue {
        /// The list
        list: ListId,
        /// Go on, and show every change
        #[arg(long)]
        watch: bool,
    },
}

#[derive(Args, Debug)]
pub(crate) struct VerdictArguments {
    /// The task
    task: TaskId,
    /// The version that was shown
    #[arg(long, value_name = "N")]
    version: u64,
    #[command(flatten)]
    verdict: Choice,
    #[command(flatten)]
    request: RequestArgument,
}

#[derive(Args, Debug)]
#[group(required = true, multiple = false)]
struct Choice {
    /// The line means this resident
    #[arg(long, value_name = "REGISTER_ID")]
    link: Option<String>,
    /// The line means nobody in the register
    #[arg(long)]
    none: bool,
    /// The line repeats another line of the list
    #[arg(long)]
    duplicate: bool,
}

impl Choice {
    fn verdict(&self) -> Verdict {
        // clap lets exactly one of the three through.
        let verdict = match &self.link {
            Some(register_id) => verdict::Verdict::RegisterId(register_id.clone()),
            None if self.none => verdict::Verdict::Nobody(true),
            None => verdict::Verdict::Duplicate(true),
        };
        Verdict { verdict: Some(verdict) }
    }
}

pub(super) fn run(command: &ReviewCommand, environment: &Environment) -> Result<Exit, Failure> {
    let searched = match command {
        ReviewCommand::Search { record, .. } => record.cells()?,
        ReviewCommand::Next { .. }
        | ReviewCommand::Decide(_)
        | ReviewCommand::Park { .. }
        | ReviewCommand::Revise(_)
        | ReviewCommand::Release { .. }
        | ReviewCommand::Queue { .. } => Vec::new(),
    };
    session::with(environment, async |session| match command {
        ReviewCommand::Next { list, parked, request } => {
            next(session, *list, *parked, *request).await
        }
        ReviewCommand::Search { task, .. } => {
            let call = SearchRequest { task_id: task.to_string(), record: searched };
            let answer = session.ask(call).await?;
            if environment.json {
                let candidates: Vec<_> = answer.candidates.iter().map(candidate_json).collect();
                let receipt = receipt_json(answer.receipt.as_ref());
                json::print(&json!({
                    "candidates": candidates,
                    "notice": answer.notice,
                    "more": answer.more,
                    "receipt": receipt,
                }));
            } else {
                tell_notice(&answer.notice, environment);
                print_line!("{}", candidates_table(&[], &answer.candidates, environment));
                if answer.more {
                    environment.note(
                        "more names begin so; type another letter",
                        "この書き出しの氏名はほかにもあります。続きの文字を入力してください",
                    );
                }
            }
            Ok(Exit::Done)
        }
        ReviewCommand::Decide(arguments) => decide(session, arguments).await,
        ReviewCommand::Revise(arguments) => revise(session, arguments).await,
        ReviewCommand::Park { task, reason, request } => {
            let id = session.request_id(*request);
            let reason = ParkReason::from(*reason);
            let call = ParkRequest {
                request_id: id.to_string(),
                task_id: task.to_string(),
                reason: reason.into(),
            };
            let answer = session.change(&id, call).await?;
            let object = json!({"task_id": task.to_string(), "parked": true});
            Ok(session.done(object, "", answer.receipt.as_ref()))
        }
        ReviewCommand::Release { task, request } => {
            let id = session.request_id(*request);
            let call = ReleaseRequest { request_id: id.to_string(), task_id: task.to_string() };
            let answer = session.change(&id, call).await?;
            let object = json!({"task_id": task.to_string(), "released": true});
            Ok(session.done(object, "", answer.receipt.as_ref()))
        }
        ReviewCommand::Queue { list, watch } => {
            let call = WatchQueueRequest { list_id: list.to_string(), once: !watch };
            let mut queues = session.stream(call).await?;
            while let Some(answer) = queues.next().await? {
                let queue = answer.queue.unwrap_or_default();
                if environment.json {
                    json::print(&queue_json(&queue));
                } else {
                    print_line!("{}", queue_words(&queue, environment));
                }
            }
            Ok(Exit::Done)
        }
    })
}

async fn next(
    session: &Session<'_>,
    list: ListId,
    parked: bool,
    request: RequestArgument,
) -> Result<Exit, Failure> {
    let id = session.request_id(request);
    let call = ClaimRequest { request_id: id.to_string(), list_id: list.to_string(), parked };
    let answer = session.change(&id, call).await?;
    let environment = session.environment;
    let queue = answer.queue.unwrap_or_default();
    if environment.json {
        json::print(&json!({
            "task": answer.task.as_ref().map(task_json),
            "queue": queue_json(&queue),
            "receipt": receipt_json(answer.receipt.as_ref()),
        }));
        return Ok(Exit::Done);
    }
    match &answer.task {
        None => environment.note("no task is open", "未処理の確認はありません"),
        Some(task) => {
            let (id, version) = (plain(&task.task_id), task.version);
            tell_notice(&task.notice, environment);
            let why = reason_text(&task.reason, environment.language);
            print_line!("{id} {} {why}", told(&task.outcome(), environment.language));
            print_line!("{}", candidates_table(&task.line, &task.candidates, environment));
            let until = local_time(&task.lease_until);
            environment.note(
                &format!("= same, ≠ different, - only the line has it, + only the candidate has it, * held by another line\nyours until {until}; decide with: renkei review decide {id} --version {version} --link REGISTER_ID | --none | --duplicate"),
                &format!("= 一致、≠ 相違、- リストのみ、+ 台帳のみ、* 別の行に割当済み\n{until} まで担当。判断は renkei review decide {id} --version {version} --link 台帳の番号 | --none（該当なし） | --duplicate（重複）"),
            );
        }
    }
    let words = queue_words(&queue, environment);
    environment.note(&words, &words);
    Ok(Exit::Done)
}

async fn decide(session: &Session<'_>, arguments: &VerdictArguments) -> Result<Exit, Failure> {
    let id = session.request_id(arguments.request);
    let call = DecideRequest {
        request_id: id.to_string(),
        task_id: arguments.task.to_string(),
        version: arguments.version,
        verdict: Some(arguments.verdict.verdict()),
    };
    let answer = session.change(&id, call).await?;
    let object = decision_json(arguments.task, answer.outcome(), answer.version);
    say_version(session, answer.version);
    let outcome = told(&answer.outcome(), session.language());
    Ok(session.done(object, &outcome, answer.receipt.as_ref()))
}

async fn revise(session: &Session<'_>, arguments: &VerdictArguments) -> Result<Exit, Failure> {
    let id = session.request_id(arguments.request);
    let call = ReviseRequest {
        request_id: id.to_string(),
        task_id: arguments.task.to_string(),
        version: arguments.version,
        verdict: Some(arguments.verdict.verdict()),
    };
    let answer = session.change(&id, call).await?;
    let object = decision_json(arguments.task, answer.outcome(), answer.version);
    say_version(session, answer.version);
    let outcome = told(&answer.outcome(), session.language());
    Ok(session.done(object, &outcome, answer.receipt.as_ref()))
}

fn decision_json(task: TaskId, outcome: Outcome, version: u64) -> Value {
    json!({"task_id": task.to_string(), "outcome": outcome_text(outcome), "version": version})
}

fn say_version(session: &Session<'_>, version: u64) {
    session.environment.note(
        &format!("version now {version}; needed to revise"),
        &format!("現在の版は {version}（変更時に必要）"),
    );
}

fn queue_json(queue: &Queue) -> Value {
    json!({
        "open": queue.open,
        "leased": queue.leased,
        "parked": queue.parked,
        "decided": queue.decided,
    })
}

fn queue_words(queue: &Queue, environment: &Environment) -> String {
    let Queue { open, leased, parked, decided } = queue;
    environment.language.pick(
        format!("{open} open, {leased} leased, {parked} parked, {decided} decided"),
        format!("未着手 {open}、担当中 {leased}、保留 {parked}、判断済み {decided}"),
    )
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Line {
        #[command(flatten)]
        arguments: VerdictArguments,
    }

    fn parse(rest: &[&str]) -> Result<Verdict, clap::Error> {
        let task = "task_06bpj3w4q8v1s9c2d5f7g0h1j2";
        let line = ["decide", task, "--version", "3"].into_iter().chain(rest.iter().copied());
        Line::try_parse_from(line).map(|line| line.arguments.verdict.verdict())
    }

    #[test]
    fn a_verdict_is_exactly_one_of_three() {
        let is = |rest: &[&str], wanted| parse(rest).expect("one").verdict == Some(wanted);
        assert!(is(&["--link", "r-1"], verdict::Verdict::RegisterId("r-1".to_owned())));
        assert!(is(&["--none"], verdict::Verdict::Nobody(true)));
        assert!(is(&["--duplicate"], verdict::Verdict::Duplicate(true)));
        assert!(parse(&[]).is_err());
        assert!(parse(&["--none", "--duplicate"]).is_err());
        assert!(parse(&["--link", "r-1", "--none"]).is_err());
    }
}
