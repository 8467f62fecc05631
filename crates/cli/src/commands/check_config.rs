//! `renkei check-config`: whether a broker would accept its configuration, without starting one.
//!
//! What is wrong is told with file, line and key. Files that the configuration names and that are not there are no error
//! of the configuration (it may be checked on another machine), but they are told.

use std::path::{Path, PathBuf};

use clap::Args;
use renkei_broker::config::BrokerConfig;
use serde_json::{Value, json};

use crate::environment::Environment;
use crate::failure::{Exit, Failure};
use crate::json;
use crate::text_table::text_table;

#[derive(Args, Debug)]
pub(crate) struct CheckConfigArguments {
    /// The broker's configuration (TOML)
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
}

pub(crate) fn run(
    arguments: &CheckConfigArguments,
    environment: &Environment,
) -> Result<Exit, Failure> {
    let config = BrokerConfig::read(&arguments.file)?;
    let files = files(&config);
    for (key, path) in files.iter().filter(|(_, path)| !path.is_file()) {
        let path = path.display();
        environment.warn(
            &format!("{key}: {path} is not there; a broker could not start on this machine"),
            &format!("{key}: {path} がありません。この計算機では連携サーバーを起動できません"),
        );
    }
    if environment.json {
        json::print(&found_json(&config, &files, &arguments.file));
    } else {
        show(&config, environment);
    }
    let file = arguments.file.display();
    environment.note(
        &format!("{file}: the configuration is valid"),
        &format!("{file}: 設定に誤りはありません"),
    );
    Ok(Exit::Done)
}

fn files(config: &BrokerConfig) -> [(&'static str, &Path); 4] {
    [
        ("tls.certificate", &config.tls.certificate),
        ("tls.key", &config.tls.key),
        ("tls.client_ca", &config.tls.client_ca),
        ("tls.crl", &config.tls.crl),
    ]
}

fn found_json(config: &BrokerConfig, files: &[(&'static str, &Path); 4], file: &Path) -> Value {
    let named = |(key, path): &(&str, &Path)| json!({"key": key, "path": path.display().to_string(), "present": path.is_file()});
    json!({
        "ok": true,
        "file": file.display().to_string(),
        "listen": config.listen.to_string(),
        "metrics_listen": config.metrics_listen.map(|address| address.to_string()),
        "trust_domain": config.trust_domain,
        "store": config.store.display().to_string(),
        "keys": config.keys.display().to_string(),
        "founders": config.founders.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "log_origin": config.log.origin,
        "files": files.iter().map(named).collect::<Vec<_>>(),
    })
}

fn show(config: &BrokerConfig, environment: &Environment) {
    let metrics = config.metrics_listen.map(|address| address.to_string());
    let none = environment.say("nowhere", "なし").to_owned();
    let founders: Vec<String> = config.founders.iter().map(ToString::to_string).collect();
    let rows = [
        (environment.say("listens on", "待ち受け"), config.listen.to_string()),
        (environment.say("metrics", "メトリクス"), metrics.unwrap_or(none)),
        (environment.say("trust domain", "信頼ドメイン"), config.trust_domain.clone()),
        (environment.say("store", "保存先"), config.store.display().to_string()),
        (environment.say("keys", "鍵"), config.keys.display().to_string()),
        (environment.say("founders", "創設者"), founders.join(" ")),
        (environment.say("log", "監査ログ"), config.log.origin.clone()),
    ];
    let mut table = text_table(Vec::<String>::new(), &[]);
    for (name, value) in rows {
        table.add_row(vec![name.to_owned(), value]);
    }
    print_line!("{table}");
}
