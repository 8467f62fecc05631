//! Tests of the configuration.

use renkei_types::{Language, Localised as _};

use super::*;

const MINIMAL: &str = r#"listen = "127.0.0.1:7443"
trust_domain = "renkei.example"
store = "store"
keys = "keys"
founders = ["spiffe://renkei.example/131016/operations/person/op-1"]
[tls]
certificate = "pki/broker.crt"
key = "pki/broker.key"
client_ca = "pki/ca.crt"
crl = "/etc/renkei/crl.pem"
[log]
origin = "renkei.example/renkei-audit/131016"
"#;

fn parse(text: &str) -> Result<BrokerConfig, ConfigError> {
    BrokerConfig::parse(text, Path::new("/srv/renkei/broker.toml"))
}

/// What is said about the smallest configuration with one change.
fn refusal(from: &str, to: &str) -> String {
    assert!(MINIMAL.contains(from), "{from}");
    let error = parse(&MINIMAL.replacen(from, to, 1)).expect_err("a refusal");
    assert!(error.localised(Language::Japanese).contains("/srv/renkei/broker.toml"));
    error.to_string()
}

#[test]
fn what_is_not_said_has_a_safe_default() {
    let config = parse(MINIMAL).expect("a configuration");
    assert_eq!(config.limits, Limits::default());
    assert_eq!(config.metrics_listen, None);
    assert_eq!(config.tls.reload_interval, Duration::from_secs(5));
    assert_eq!(config.log.checkpoint_interval, Duration::from_secs(1));
    assert_eq!(config.telemetry, TelemetryConfig::default());
}

#[test]
fn relative_paths_are_meant_from_the_folder_of_the_file() {
    let config = parse(MINIMAL).expect("a configuration");
    assert_eq!(config.store, Path::new("/srv/renkei/store"));
    assert_eq!(config.tls.key, Path::new("/srv/renkei/pki/broker.key"));
    assert_eq!(config.tls.crl, Path::new("/etc/renkei/crl.pem"));
}

#[test]
fn what_is_written_is_read_back() {
    let config = parse(MINIMAL).expect("a configuration");
    let text = toml::to_string(&config).expect("text");
    assert!(text.contains("shutdown_grace = \"30s\""), "{text}");
    assert_eq!(parse(&text).expect("its own text"), config);
}

#[test]
fn a_typo_is_refused_with_its_line_and_the_keys_that_are_known() {
    let said = refusal("[log]", "reload_intervall = \"1s\"\n[log]");
    assert!(said.starts_with("/srv/renkei/broker.toml: line 11: tls.reload_intervall: "), "{said}");
    assert!(said.contains("`reload_interval`"), "{said}");
    let said = refusal("[log]", "[limit]\n[log]");
    assert!(said.contains("line 11") && said.contains("no such key"), "{said}");
}

#[test]
fn a_key_that_is_missing_is_named_with_its_section() {
    let said = refusal("key = \"pki/broker.key\"\n", "");
    assert!(said.contains("tls.key: the key is missing"), "{said}");
    let said = refusal("store = \"store\"\n", "");
    assert!(said.contains(": store: the key is missing"), "{said}");
}

#[test]
fn a_value_is_never_repeated() {
    for (from, to) in [
        ("\"127.0.0.1:7443\"", "\"SECRET\""),
        ("\"store\"", "[\"SECRET\"]"),
        ("\"renkei.example\"", "\"SECRET value\""),
        ("op-1", "SECRET value"),
        ("[log]", "reload_interval = \"SECRET\"\n[log]"),
        ("[log]", "[telemetry]\nlog_format = \"SECRET\"\n[log]"),
        ("[log]", "[telemetry]\nlog_level = \"SECRET\"\n[log]"),
        ("[log]", "[limits]\nconnections_max = \"SECRET\"\n[log]"),
        ("\"store\"", "\"SECRET"),
    ] {
        let said = refusal(from, to);
        assert!(said.contains("line ") && !said.contains("SECRET"), "{said}");
    }
}

#[test]
fn limits_are_neither_zero_nor_endless() {
    for (line, wanted) in [
        ("connections_max = 0", "limits.connections_max: the value should be from 1 to"),
        ("message_bytes_max = 4294967295", "limits.message_bytes_max: the value should be"),
        ("upload_bytes_max = 9223372036854775807", "limits.upload_bytes_max: the value should be"),
        ("request_timeout = \"0s\"", "limits.request_timeout: a duration is"),
        ("request_timeout = \"400d\"", "limits.request_timeout: a duration is"),
        ("request_timeout = 30", "limits.request_timeout: "),
        ("connections_max = -1", "limits.connections_max: the value should be u32"),
    ] {
        let said = refusal("[log]", &format!("[limits]\n{line}\n[log]"));
        assert!(said.contains("line 12: ") && said.contains(wanted), "{said}");
    }
}

#[test]
fn founders_belong_to_the_trust_domain_and_there_is_one_at_least() {
    let one = "\"spiffe://renkei.example/131016/operations/person/op-1\"";
    for (founders, wanted) in [
        (String::new(), "name at least one identity"),
        (format!("{one}, {one}"), "named twice"),
        (one.replace("renkei.example", "other.example"), "must belong to trust_domain"),
        (one.replace("131016", "131017"), "check digit"),
    ] {
        let said = refusal(one, &founders);
        assert!(said.contains("line 5: founders: ") && said.contains(wanted), "{said}");
    }
}

#[test]
fn what_makes_no_sense_is_refused() {
    for (from, to, wanted) in [
        ("\"renkei.example\"", "\"Renkei Example\"", "line 2: trust_domain: "),
        ("keys = \"keys\"", "keys = \"store/keys\"", "line 4: keys: keys must not lie inside"),
        ("renkei-audit", "renkei audit", "line 12: log.origin: "),
        ("[tls]", "metrics_listen = \"127.0.0.1:7443\"\n[tls]", "must differ from one another"),
        ("[tls]", "enrolment_listen = \"127.0.0.1:7443\"\n[tls]", "must differ from one another"),
        ("[tls]", "[tls]\nreload_interval = \"31s\"", "within a minute"),
        (
            "[log]",
            "[witness]\npolicy = \"w.policy\"\ngrace = \"1m\"\n[log]",
            "line 13: witness.grace: the grace must be at least twice",
        ),
    ] {
        let said = refusal(from, to);
        assert!(said.contains(wanted), "{said}");
    }
}

#[test]
fn without_a_policy_nobody_has_to_cosign_and_with_one_there_are_four_hours() {
    assert_eq!(parse(MINIMAL).expect("a configuration").witness, None);
    let text = MINIMAL.replace("[log]", "[witness]\npolicy = \"w.policy\"\n[log]");
    let config = parse(&text).expect("a configuration");
    let witness = config.witness.clone().expect("a section");
    assert_eq!(witness.policy, Path::new("/srv/renkei/w.policy"));
    assert_eq!((witness.ca, witness.grace), (None, Duration::from_secs(4 * 3_600)));
    let shorter = text.replace("w.policy\"", "w.policy\"\ngrace = \"1h\"");
    assert_ne!(parse(&shorter).expect("a configuration").digest(), config.digest());
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let error = BrokerConfig::read(Path::new("/nonexistent/broker.toml")).expect_err("no file");
    assert!(error.to_string().starts_with("/nonexistent/broker.toml: cannot be read"), "{error}");
}

#[test]
fn a_key_may_be_a_credential_of_the_service_manager() {
    let text = MINIMAL.replace("\"pki/broker.key\"", "\"$CREDENTIALS_DIRECTORY/broker.key\"");
    let file = Path::new("/etc/renkei/broker.toml");
    let credentials = Path::new("/run/credentials/renkei.service");
    let config = BrokerConfig::parse_with(&text, file, Some(credentials)).expect("accepted");
    assert_eq!(config.tls.key, credentials.join("broker.key"));
    assert_eq!(config.tls.certificate, Path::new("/etc/renkei/pki/broker.crt"));
    let error = BrokerConfig::parse_with(&text, file, None).expect_err("nobody hands it over");
    assert!(
        error.to_string().contains("tls.key: ") && error.to_string().contains("LoadCredential")
    );
}

#[test]
fn the_root_key_and_the_logs_key_are_credentials_or_lie_in_the_folder_of_keys() {
    let with = |line: &str| format!("{line}\n{MINIMAL}");
    let file = Path::new("/etc/renkei/broker.toml");
    let credentials = Path::new("/run/credentials/renkei.service");
    let text = with("root_key = \"$CREDENTIALS_DIRECTORY/renkei.root.key\"");
    let config = BrokerConfig::parse_with(&text, file, Some(credentials)).expect("accepted");
    assert_eq!(config.root_key, Some(credentials.join("renkei.root.key")));
    assert_eq!(config.log_key, None);
    let error = BrokerConfig::parse_with(&with("log_key = \"log.key\""), file, Some(credentials));
    let error = error.expect_err("a file like any other").to_string();
    assert!(error.contains("log_key: ") && error.contains("CREDENTIALS_DIRECTORY"), "{error}");
}
