//! The certificate ceremony, as an operator goes through it.

mod support;

use std::path::Path;

use serde_json::Value;
use support::{Folder, Run, assert_keys, renkei, renkei_in};

const DOMAIN: &str = "renkei.example";
const PAYMENTS: &str = "spiffe://renkei.example/131016/benefits/system/payments";

/// A folder with an authority in `pki`.
struct Ceremony(Folder);

impl Ceremony {
    fn new() -> Self {
        let ceremony = Self(Folder::new());
        ceremony.pki("init", &["--trust-domain", DOMAIN]).exits(0);
        ceremony
    }

    fn path(&self, name: &str) -> String {
        self.0.path(name).display().to_string()
    }

    fn pki(&self, command: &str, arguments: &[&str]) -> Run {
        let dir = self.path("pki");
        renkei(["pki", command, "--dir", &dir].iter().chain(arguments))
    }

    fn json(&self, command: &str, arguments: &[&str]) -> Value {
        let arguments: Vec<&str> = arguments.iter().copied().chain(["--json"]).collect();
        self.pki(command, &arguments).exits(0).json()
    }

    fn issue_payments(&self) -> Value {
        self.json("issue", &["--identity", PAYMENTS])
    }

    fn states(&self) -> Vec<String> {
        let status = self.json("status", &[]);
        let certificates = status["certificates"].as_array().expect("certificates");
        let state = |entry: &Value| entry["state"].as_str().expect("a state").to_owned();
        certificates.iter().map(state).collect()
    }
}

fn read(path: &str) -> String {
    fs_err::read_to_string(path).expect("a file")
}

#[test]
fn an_authority_is_made_once_and_never_overwritten() {
    let ceremony = Ceremony::new();
    let key = read(&ceremony.path("pki/ca.key"));
    ceremony.pki("init", &["--trust-domain", DOMAIN]).exits(3).says(&["not empty"]);
    assert_eq!(read(&ceremony.path("pki/ca.key")), key);
    for file in ["ca.crt", "crl.pem", "issued.toml"] {
        assert!(Path::new(&ceremony.path("pki")).join(file).is_file(), "{file}");
    }
}

#[test]
fn a_broker_and_a_client_get_files_that_name_one_another() {
    let ceremony = Ceremony::new();
    let broker =
        ceremony.json("issue", &["--broker", "--dns", "broker.example", "--ip", "192.0.2.7"]);
    assert_eq!((&broker["name"], &broker["dns"][0]), (&"broker".into(), &"broker.example".into()));
    assert_eq!(broker["ips"][0], "192.0.2.7");

    let (out, client) = (ceremony.path("clients"), ceremony.path("clients/payments.toml"));
    let address = "https://broker.example:8443";
    let issued = ceremony.json(
        "issue",
        &["--identity", PAYMENTS, "--out", &out, "--client-file", &client, "--address", address],
    );
    assert_keys(&issued, &["name", "identity", "serial", "not_after", "certificate", "key"]);
    assert_eq!((&issued["identity"], &issued["client_file"]), (&PAYMENTS.into(), &client.into()));
    let file = read(&ceremony.path("clients/payments.toml"));
    for line in [
        "address = \"https://broker.example:8443\"",
        "ca = \"../pki/ca.crt\"",
        "certificate = \"payments.crt\"",
        "key = \"payments.key\"",
    ] {
        assert!(file.lines().any(|written| written == line), "{line} is not in {file}");
    }
    assert!(read(&ceremony.path("clients/payments.key")).contains("PRIVATE KEY"));
}

#[cfg(unix)]
#[test]
fn keys_can_be_read_by_their_owner_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let ceremony = Ceremony::new();
    ceremony.issue_payments();
    for key in ["pki/ca.key", "pki/payments.key"] {
        let mode = fs_err::metadata(ceremony.path(key)).expect("a key").permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{key}");
    }
}

#[test]
fn a_revocation_is_a_dry_run_until_it_is_confirmed() {
    let ceremony = Ceremony::new();
    let serial = ceremony.issue_payments()["serial"].as_str().expect("a serial").to_owned();
    let list = read(&ceremony.path("pki/crl.pem"));
    ceremony.pki("revoke", &["payments"]).exits(0).says(&["--yes"]);
    let dry = ceremony.json("revoke", &["payments"]);
    assert_eq!(
        (&dry["revoked"], &dry["certificates"][0]["serial"]),
        (&false.into(), &serial.as_str().into())
    );
    assert_eq!(read(&ceremony.path("pki/crl.pem")), list);
    assert_eq!(ceremony.states(), ["valid"]);

    let done = ceremony.json("revoke", &[&serial, "--yes"]);
    assert_eq!(done["revoked"], true);
    assert_ne!(read(&ceremony.path("pki/crl.pem")), list);
    assert_eq!(ceremony.states(), ["revoked"]);
    ceremony.pki("revoke", &["payments", "--yes"]).exits(3);
    ceremony.pki("renew", &["payments"]).exits(3);
    ceremony.pki("revoke", &["nobody"]).exits(2);
}

#[test]
fn a_renewal_replaces_the_files_and_leaves_the_older_certificate_believed() {
    let ceremony = Ceremony::new();
    ceremony.issue_payments();
    let before = ["pki/payments.crt", "pki/payments.key"].map(|file| read(&ceremony.path(file)));
    ceremony.json("renew", &["payments", "--days", "60"]);
    let after = ["pki/payments.crt", "pki/payments.key"].map(|file| read(&ceremony.path(file)));
    assert!(before.iter().zip(&after).all(|(before, after)| before != after));
    assert_eq!(ceremony.states(), ["replaced", "valid"]);
    assert_eq!(ceremony.json("status", &[])["crl"]["revoked"], 0);

    // The key was brought to its owner: where the new one goes has to be said.
    fs_err::remove_file(ceremony.path("pki/payments.key")).expect("removed");
    ceremony.pki("renew", &["payments"]).exits(2).says(&["--out"]);
    ceremony.json("renew", &["payments", "--out", &ceremony.path("stick")]);
    assert!(read(&ceremony.path("stick/payments.key")).contains("PRIVATE KEY"));
}

#[test]
fn what_is_there_or_taken_is_not_issued_again() {
    let ceremony = Ceremony::new();
    ceremony.issue_payments();
    let issue = |more: &[&str]| {
        let arguments: Vec<&str> = ["--identity", PAYMENTS].iter().chain(more).copied().collect();
        ceremony.pki("issue", &arguments)
    };
    issue(&[]).exits(3);
    issue(&["--out", &ceremony.path("elsewhere")]).exits(3).says(&["--name"]);
    issue(&["--name", "ca"]).exits(3);
    let client = ceremony.0.write("client.toml", "");
    let client = client.display().to_string();
    let address = ["--address", "https://broker.example:1", "--client-file", client.as_str()];
    issue(&[&["--name", "other"][..], &address].concat()).exits(3);
    assert_eq!(ceremony.states(), ["valid"]);
    issue(&["--name", "other"]).exits(0);
}

#[test]
fn arguments_that_make_no_certificate_are_refused_before_anything_is_issued() {
    let ceremony = Ceremony::new();
    let foreign = "spiffe://other.example/131016/benefits/system/payments";
    ceremony.pki("issue", &["--identity", foreign]).exits(3).says(&[DOMAIN]);
    ceremony.pki("issue", &["--broker"]).exits(2).says(&["--dns"]);
    ceremony.pki("issue", &["--identity", PAYMENTS, "--days", "36500"]).exits(3);
    for wrong in [
        &["--broker", "--identity", PAYMENTS][..],
        &["--broker", "--dns", "*.example"],
        &["--identity", PAYMENTS, "--dns", "broker.example"],
        &["--identity", "payments"],
        &["--identity", PAYMENTS, "--name", "../payments"],
        &["--identity", PAYMENTS, "--days", "0"],
        &["--identity", PAYMENTS, "--client-file", "c.toml", "--address", "broker.example"],
        &["--identity", PAYMENTS, "--client-file", "c.toml"],
        &[],
    ] {
        ceremony.pki("issue", wrong).exits(2);
    }
    assert!(ceremony.states().is_empty());
    let nowhere = ceremony.path("nowhere");
    renkei(["pki", "status", "--dir", &nowhere]).exits(2).says(&["renkei pki init"]);
}

#[test]
fn the_status_says_who_has_what_and_until_when() {
    let ceremony = Ceremony::new();
    ceremony.issue_payments();
    ceremony.json("issue", &["--identity", PAYMENTS, "--name", "short", "--days", "3"]);
    let status = ceremony.json("status", &[]);
    assert_eq!(
        (&status["authority"]["state"], &status["crl"]["state"]),
        (&"valid".into(), &"valid".into())
    );
    assert_eq!(status["crl"]["number"], 3);
    let short = &status["certificates"][1];
    assert_keys(short, &["name", "profile", "identity", "dns", "ips", "serial", "revoked_at"]);
    assert_eq!((&short["days_left"], &short["state"]), (&2.into(), &"expires_soon".into()));
    let notices = [&status["authority"], &status["certificates"][0], short];
    let notices = notices.map(|of| of["notice_days"].as_u64());
    assert_eq!(notices, [None, None, Some(7)]);

    let table = ceremony.pki("status", &[]).exits(0).says(&["short ends in 2 days"]).stdout;
    for word in ["days left", "payments", PAYMENTS, "expires_soon", "crl.pem"] {
        assert!(table.contains(word), "{word} is not in {table}");
    }
    ceremony.json("crl", &["--days", "7"]);
    let table = ceremony.pki("status", &[]).exits(0).says(&["renkei pki crl"]).stdout;
    assert!(
        table.lines().any(|line| line.starts_with(" crl.pem") && line.contains("expires_soon"))
    );
}

#[test]
fn the_ceremony_speaks_japanese_where_it_is_asked_to() {
    let ceremony = Ceremony::new();
    let dir = ceremony.path("pki");
    let japanese = |arguments: &[&str]| {
        renkei_in("ja_JP.UTF-8", ["pki", arguments[0], "--dir", &dir].iter().chain(&arguments[1..]))
    };
    japanese(&["issue", "--identity", PAYMENTS]).exits(0).says(&["まで有効"]);
    japanese(&["issue", "--identity", PAYMENTS, "--out", &ceremony.path("x")])
        .exits(3)
        .says(&["有効な証明書"]);
    japanese(&["revoke", "payments"]).exits(0).says(&["失効の対象"]);
    let table = japanese(&["status"]).exits(0).stdout;
    assert!(table.contains("残り日数") && table.contains("有効"), "{table}");
    japanese(&["revoke", "payments", "--yes"]).exits(0).says(&["失効しました"]);
    japanese(&["revoke", "nobody"]).exits(2).says(&["証明書がありません"]);
}
