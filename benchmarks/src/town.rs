//! A demo's town with a register and a list of any size.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

/// The files that were generated.
pub(crate) struct Files {
    pub(crate) residents: PathBuf,
    pub(crate) payments: PathBuf,
    pub(crate) lines: u64,
    pub(crate) yen: u64,
}

/// A demo's folder, and the broker that serves it.
pub(crate) struct Town {
    folder: PathBuf,
    program: PathBuf,
    process: Option<Child>,
    pub(crate) register: String,
    /// The programme of the list.
    pub(crate) programme: String,
    pub(crate) payments: Option<PathBuf>,
}

impl Town {
    /// A small demo, whose people and agreements are used.
    pub(crate) fn found(folder: &Path) -> Result<Self> {
        let program = std::env::current_exe()?.with_file_name("renkei");
        if !program.exists() {
            bail!("{} is not built; run `cargo build --release` first", program.display());
        }
        let folder = folder.join("town");
        let status = Command::new(&program)
            .args(["demo", "--json", "--residents", "1000", "--lines", "300", "--dir"])
            .arg(&folder)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()?;
        if !status.success() {
            bail!("the demo failed");
        }
        let (register, programme) = Default::default();
        Ok(Self { folder, program, process: None, register, programme, payments: None })
    }

    pub(crate) fn client(&self, name: &str) -> PathBuf {
        self.folder.join("clients").join(format!("{name}.toml"))
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    pub(crate) fn process_id(&self) -> Result<u32> {
        Ok(self.process.as_ref().context("a broker that runs")?.id())
    }

    /// Starts the broker and waits until it listens.
    pub(crate) fn start(&mut self) -> Result<()> {
        let mut process = Command::new(&self.program)
            .args(["serve", "--json", "--config"])
            .arg(self.folder.join("broker.toml"))
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        let mut line = String::new();
        BufReader::new(process.stdout.take().context("standard output")?).read_line(&mut line)?;
        if line.is_empty() {
            bail!("the broker did not start");
        }
        self.process = Some(process);
        if self.register.is_empty() {
            let said = self.command("operator-1", &["dataset", "list"])?;
            let all = said["datasets"].as_array().context("datasets")?;
            let known = all.iter().find(|one| one["records"].as_u64().unwrap_or_default() > 0);
            let id = known.and_then(|one| one["dataset_id"].as_str()).context("a register")?;
            id.clone_into(&mut self.register);
        }
        Ok(())
    }

    /// Asks it to stop and waits.
    pub(crate) fn stop(&mut self) -> Result<()> {
        if let Some(mut process) = self.process.take() {
            Command::new("kill").args(["-TERM", &process.id().to_string()]).status()?;
            process.wait()?;
        }
        Ok(())
    }

    /// Runs a command as a client.
    pub(crate) fn command(&self, client: &str, arguments: &[&str]) -> Result<Value> {
        let output = Command::new(&self.program)
            .args(arguments)
            .args(["--json", "--as"])
            .arg(self.client(client))
            .output()?;
        if !output.status.success() {
            bail!("{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        }
        let text = String::from_utf8(output.stdout)?;
        Ok(serde_json::from_str(text.lines().last().unwrap_or("null"))?)
    }

    pub(crate) fn generate(&self, residents: usize, lines: usize) -> Result<Files> {
        let place = self.folder.with_file_name("large");
        let output = Command::new(&self.program)
            .args(["generate", "--json", "--mix", "typical", "--seed", "5"])
            .args(["--residents", &residents.to_string(), "--lines", &lines.to_string(), "--dir"])
            .arg(&place)
            .stderr(Stdio::null())
            .output()?;
        if !output.status.success() {
            bail!("no files were generated");
        }
        let said: Value = serde_json::from_slice(&output.stdout)?;
        let yen = said["yen"].as_u64().context("the sum of the list")?;
        Ok(Files {
            lines: lines as u64,
            yen,
            residents: place.join("residents.csv"),
            payments: place.join("payments.csv"),
        })
    }

    pub(crate) fn upload_register(&self, file: &Path) -> Result<()> {
        let file = file.to_str().context("a path")?;
        self.command("register", &["dataset", "upload", &self.register, file]).map(|_| ())
    }

    /// Waits until a question is answered; answers the seconds.
    pub(crate) fn wait_for_index(&self) -> Result<f64> {
        let started = Instant::now();
        let question =
            ["identify", &self.register, "--purpose", "benefit-2026", "name_kana=ヤマダ タロウ"];
        loop {
            if self.command("counter", &question).is_ok() {
                return Ok(started.elapsed().as_secs_f64());
            }
            if started.elapsed() > Duration::from_secs(120) {
                bail!("the register is not loaded after two minutes");
            }
        }
    }

    /// Opens a programme and a list; answers the list and its upload.
    pub(crate) fn open_list(&mut self, files: &Files) -> Result<(String, String)> {
        self.payments = Some(files.payments.clone());
        let programme = self.command(
            "operator-1",
            &[
                "programme",
                "create",
                "--agency",
                "131016/benefits",
                "--name",
                "benchmark",
                "--title",
                "benchmark",
                "--base-date",
                "2026-10-01",
                "--unit",
                "person",
                "--line-yen-max",
                "10000000",
                "--transfer-date",
                "2026-12-20",
            ],
        )?;
        let programme = programme["programme_id"].as_str().context("a programme")?;
        programme.clone_into(&mut self.programme);
        let opened = self.command("payments", &["list", "open", programme, "--name", "all"])?;
        let id = |key: &str| opened[key].as_str().map(str::to_owned).context("an id");
        Ok((id("list_id")?, id("upload_id")?))
    }

    /// Sends and seals a list whose totals are known, as a system's own export has them.
    pub(crate) fn seal_list(&self, upload: &str, files: &Files) -> Result<()> {
        let file = files.payments.to_str().context("a path")?;
        let (lines, yen) = (files.lines.to_string(), files.yen.to_string());
        let options = ["list", "seal", upload, file, "--lines", &lines, "--yen", &yen];
        self.command("payments", &options).map(|_| ())
    }

    /// How many leaves the log has.
    pub(crate) fn leaves(&self) -> Result<u64> {
        let said = self.command("auditor-1", &["audit", "checkpoint"])?;
        let note = said["checkpoint"].as_str().context("a checkpoint")?;
        Ok(note.lines().nth(1).context("a size")?.parse()?)
    }

    /// Links a list and waits until it is ready for review.
    pub(crate) fn link(&self, list: &str) -> Result<Value> {
        let register = &self.register;
        let created =
            self.command("payments", &["job", "create", "--list", list, "--dataset", register])?;
        let job = created["job_id"].as_str().context("a job")?;
        self.command("payments", &["job", "watch", job])
    }
}

impl Drop for Town {
    fn drop(&mut self) {
        let _ = self.stop();
    }
}
