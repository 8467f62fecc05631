//! A broker as a process, over a copy of a demo's folder, and everybody's client files.
//!
//! The demo leaves a town that is complete: authority, agencies, parties, agreements, register, programme. It is made once
//! for a test binary; every test works on a copy of its own, on a port of its own.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;

use serde_json::Value;

use super::{Folder, Run, renkei};

/// How large the demo is: large enough for every outcome, small enough for a test.
const RESIDENTS: &str = "400";
const LINES: &str = "120";

/// The demo's folder. Nobody writes to it.
fn demo() -> &'static Path {
    static DEMO: OnceLock<Folder> = OnceLock::new();
    let folder = DEMO.get_or_init(|| {
        let folder = Folder::new();
        let place = folder.path("demo");
        let options = ["demo", "--json", "--residents", RESIDENTS, "--lines", LINES, "--dir"];
        renkei(options.map(Into::into).into_iter().chain([place.into_os_string()])).exits(0);
        folder
    });
    static PLACE: OnceLock<PathBuf> = OnceLock::new();
    PLACE.get_or_init(|| folder.path("demo"))
}

/// A broker that runs, or has been killed.
pub(crate) struct Broker {
    pub(crate) folder: Folder,
    process: Option<Child>,
    pub(crate) address: String,
}

impl Broker {
    /// A broker of its own.
    pub(crate) fn start() -> Self {
        Self::start_with(|config| config)
    }

    /// One that enrols, and where.
    pub(crate) fn start_enrolling() -> (Self, String) {
        let broker =
            Self::start_with(|config| format!("enrolment_listen = \"127.0.0.1:0\"\n{config}"));
        let log = broker.log();
        let said = log.lines().rev().find_map(|line| line.split_once("asked for at 127.0.0.1:"));
        let port = said.expect("the port for enrolment").1.trim().to_owned();
        (broker, format!("https://localhost:{port}"))
    }

    /// The same with another configuration.
    pub(crate) fn start_with(change: impl FnOnce(String) -> String) -> Self {
        let folder = Folder::new();
        copy(demo(), &folder.path("town"));
        let config = folder.path("town/broker.toml");
        let text = fs_err::read_to_string(&config).expect("the configuration");
        let lines = text.lines().map(|line| match line.split_once(" = ") {
            Some(("listen", _)) => "listen = \"127.0.0.1:0\"".to_owned(),
            Some(("metrics_listen", _)) => "metrics_listen = \"127.0.0.1:0\"".to_owned(),
            _ => line.to_owned(),
        });
        let text = change(lines.collect::<Vec<_>>().join("\n"));
        fs_err::write(&config, text).expect("the configuration is written");
        let mut broker = Self { folder, process: None, address: String::new() };
        broker.restart();
        broker
    }

    pub(crate) fn town(&self, name: &str) -> PathBuf {
        self.folder.path("town").join(name)
    }

    /// The command that serves.
    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(assert_cmd::cargo::cargo_bin!("renkei"));
        let config = self.town("broker.toml");
        command.args([
            "serve".as_ref(),
            "--json".as_ref(),
            "--config".as_ref(),
            config.as_os_str(),
        ]);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Starts it again and tells the clients where it is.
    pub(crate) fn restart(&mut self) {
        self.restart_with(self.command());
    }

    /// The same with another command.
    pub(crate) fn restart_with(&mut self, mut command: Command) {
        self.kill();
        let log =
            fs_err::OpenOptions::new().create(true).append(true).open(self.folder.path("log"));
        let log = log.expect("a log").into_file();
        let mut process = command.stderr(log).spawn().expect("the broker starts");
        let mut line = String::new();
        let stdout = process.stdout.take().expect("standard output");
        BufReader::new(stdout).read_line(&mut line).expect("a line");
        self.process = Some(process);
        let said: Value = serde_json::from_str(&line).unwrap_or_else(|_| {
            panic!("the broker did not start: {}", self.log());
        });
        let listening = said["listening"].as_str().expect("an address");
        let port = listening.rsplit_once(':').expect("a port").1;
        self.address = format!("https://localhost:{port}");
        // From now on it is always found at the same place, as a broker is.
        let config = self.town("broker.toml");
        let text = fs_err::read_to_string(&config).expect("the configuration");
        let text = text
            .replace("listen = \"127.0.0.1:0\"\nm", &format!("listen = \"127.0.0.1:{port}\"\nm"));
        fs_err::write(&config, text).expect("the configuration is written");
        for entry in fs_err::read_dir(self.town("clients")).expect("clients") {
            let path = entry.expect("an entry").path();
            if path.extension().is_some_and(|ending| ending == "toml") {
                let text = fs_err::read_to_string(&path).expect("a client file");
                let lines = text.lines().map(|line| match line.split_once(" = ") {
                    Some(("address", _)) => format!("address = \"{}\"", self.address),
                    _ => line.to_owned(),
                });
                let text = lines.collect::<Vec<_>>().join("\n");
                fs_err::write(&path, text).expect("a client file is written");
            }
        }
    }

    /// Ends it as a power cut would, but for what the system still writes.
    pub(crate) fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.kill().expect("the broker is killed");
            process.wait().expect("the broker is gone");
        }
    }

    /// Asks it to stop, and waits.
    pub(crate) fn stop(&mut self) -> i32 {
        let mut process = self.process.take().expect("a broker that runs");
        let id = process.id().to_string();
        Command::new("kill").args(["-TERM", &id]).status().expect("a signal is sent");
        process.wait().expect("the broker ends").code().unwrap_or(-1)
    }

    pub(crate) fn id(&self) -> u32 {
        self.process.as_ref().expect("a broker that runs").id()
    }

    /// What it has written to standard error.
    pub(crate) fn log(&self) -> String {
        fs_err::read_to_string(self.folder.path("log")).unwrap_or_default()
    }

    /// Runs a command as one of the clients.
    pub(crate) fn as_client(&self, client: &str, arguments: &[&str]) -> Run {
        let file = self.town("clients").join(format!("{client}.toml"));
        let all = arguments.iter().map(|&argument| argument.into());
        let options: [std::ffi::OsString; 3] =
            ["--json".into(), "--as".into(), file.into_os_string()];
        renkei(all.chain(options).collect::<Vec<std::ffi::OsString>>())
    }

    /// Runs a command as one of the clients, kills the broker so many milliseconds after its start, starts it again, and
    /// expects the command to be done all the same: it repeats its request until it is answered.
    #[track_caller]
    pub(crate) fn done_through_a_kill(
        &mut self,
        after: u64,
        client: &str,
        arguments: &[&str],
    ) -> Value {
        let file = self.town("clients").join(format!("{client}.toml"));
        let mut command = Command::new(assert_cmd::cargo::cargo_bin!("renkei"));
        command.args(arguments).arg("--json").arg("--as").arg(file);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let running = command.spawn().expect("the command starts");
        // The one place where time passes in a test: the kill must fall into the middle of something.
        std::thread::sleep(std::time::Duration::from_millis(after));
        self.restart();
        let output = running.wait_with_output().expect("the command ends");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(
            output.status.success(),
            "{arguments:?} killed after {after} ms: {said}\n{}",
            self.log()
        );
        let text = String::from_utf8(output.stdout).expect("UTF-8");
        text.lines().last().map_or(Value::Null, |line| serde_json::from_str(line).expect("JSON"))
    }

    /// The same; expects it to be done, and answers what it prints.
    #[track_caller]
    pub(crate) fn done(&self, client: &str, arguments: &[&str]) -> Value {
        self.as_client(client, arguments).exits(0).json()
    }

    /// Registers a person of an agency with a role, and makes its client file.
    pub(crate) fn newcomer(&self, agency: &str, name: &str, role: &str) {
        let identity = format!("spiffe://renkei.example/{agency}/person/{name}");
        self.done("operator-1", &["person", "add", &identity, "--role", role]);
        let place = |name: &str| self.town(name).to_str().expect("a path").to_owned();
        let (pki, clients) = (place("pki"), place("clients"));
        let file = place(&format!("clients/{name}.toml"));
        let issue = ["pki", "issue", "--dir", &pki, "--identity", &identity, "--out", &clients];
        let client_file = ["--client-file", &file, "--address", &self.address];
        renkei(issue.iter().chain(&client_file)).exits(0);
    }

    /// The register that the demo has uploaded.
    pub(crate) fn register(&self) -> String {
        let shown = self.done("operator-1", &["dataset", "list"]);
        let all = shown["datasets"].as_array().expect("datasets");
        let known = all.iter().find(|one| one["records"].as_u64().is_some_and(|n| n > 0));
        known.and_then(|one| one["dataset_id"].as_str()).expect("the register").to_owned()
    }

    /// Ids that the log names, oldest first.
    pub(crate) fn named(&self, noun: &str) -> Vec<String> {
        let log = self.as_client("auditor-1", &["audit", "query"]).exits(0).stdout;
        let mut ids: Vec<String> = log
            .split('"')
            .filter(|word| word.strip_prefix(noun).is_some_and(|rest| rest.starts_with('_')))
            .map(str::to_owned)
            .collect();
        ids.sort();
        ids.dedup();
        ids
    }

    /// A new programme.
    pub(crate) fn programme(&self, name: &str) -> String {
        let made = self.done("operator-1", &Self::create_programme(name));
        made["programme_id"].as_str().expect("a programme").to_owned()
    }

    /// The command that creates one.
    pub(crate) fn create_programme(name: &str) -> [&str; 16] {
        #[rustfmt::skip]
        let command = [
            "programme", "create", "--agency", "131016/benefits", "--name", name, "--title", name,
            "--base-date", "2026-10-01", "--unit", "person", "--line-yen-max", "10000000",
            "--transfer-date", "2026-12-20",
        ];
        command
    }

    /// Its metrics, as they are read.
    pub(crate) fn metrics(&self) -> String {
        let log = self.log();
        let address = log
            .lines()
            .rev()
            .find_map(|line| {
                line.split_once("http://").map(|(_, rest)| rest.replace("/metrics", ""))
            })
            .expect("the address of the metrics");
        let mut stream = std::net::TcpStream::connect(address.trim()).expect("metrics are served");
        stream.write_all(b"GET /metrics HTTP/1.0\r\n\r\n").expect("a request");
        let mut text = String::new();
        stream.read_to_string(&mut text).expect("an answer");
        text
    }

    /// The checkpoint's size, and whether the whole log verifies with the public key.
    pub(crate) fn audit(&self, name: &str) -> Value {
        let bundle = self.folder.path(name);
        let place = bundle.to_str().expect("a path");
        self.done("auditor-1", &["audit", "bundle", "--output", place]);
        let key = self.town("log.vkey");
        let key = key.to_str().expect("a path");
        renkei(["audit", "verify", place, "--key", key, "--json"]).exits(0).json()
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Copies a folder.
pub(crate) fn copy(from: &Path, to: &Path) {
    fs_err::create_dir_all(to).expect("a folder");
    for entry in fs_err::read_dir(from).expect("a folder") {
        let entry = entry.expect("an entry");
        let target = to.join(entry.file_name());
        if entry.file_type().expect("a kind").is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs_err::copy(entry.path(), &target).expect("a file is copied");
        }
    }
}
