//! Roles that one person should not hold together, because rules that take two people mean to part them.
//!
//! Which pairs these are the broker says (`PARTED_ROLES`); it gives such roles nevertheless, for a small office may have nobody
//! else. So it must be seen: when a role is given, in the list of persons, and in `selfcheck`.

use renkei_api::v1::{RolePair, ShowRequest};
use renkei_types::Language;

use super::code_words::told;
use super::party::role_name;
use super::session::{self, plain};
use crate::environment::Environment;
use crate::failure::{Exit, Failure};

/// Pairs as people read them.
fn pairs_told(united: &[RolePair], language: Language) -> String {
    let pair = |pair: &RolePair| {
        let (one, other) = (told(&pair.one(), language), told(&pair.other(), language));
        language.pick(format!("{one} and {other}"), format!("{one}と{other}"))
    };
    united.iter().map(pair).collect::<Vec<_>>().join(language.pick("; ", "、"))
}

/// The same for programs.
pub(super) fn to_json(united: &[RolePair]) -> Vec<[&'static str; 2]> {
    united.iter().map(|pair| [role_name(pair.one()), role_name(pair.other())]).collect()
}

/// Warns of a person who holds such roles.
pub(super) fn warn(environment: &Environment, identity: &str, united: &[RolePair]) {
    if united.is_empty() {
        return;
    }
    let who = plain(identity);
    let [english, japanese] =
        [Language::English, Language::Japanese].map(|language| pairs_told(united, language));
    environment.warn(
        &format!("{who} holds roles that two different people should hold: {english}. Take one away with `renkei person revoke IDENTITY --role ROLE`"),
        &format!("{who} は、別々の人が持つべき役割を兼ねています: {japanese}。`renkei person revoke 名義 --role 役割` で一方を外してください"),
    );
}

/// Everybody who holds such roles, with the pairs in the language of the reader. Asks the broker.
pub(crate) fn of_all(environment: &Environment) -> Result<Vec<(String, String)>, Failure> {
    let mut found = Vec::new();
    session::with(environment, async |session| {
        let parties = session.ask(ShowRequest {}).await?.parties;
        let united = parties.iter().filter(|party| !party.united.is_empty());
        found.extend(united.map(|party| {
            (plain(&party.identity), pairs_told(&party.united, environment.language))
        }));
        Ok(Exit::Done)
    })?;
    Ok(found)
}

#[cfg(test)]
mod tests {
    use renkei_api::v1::Role;
    use serde_json::json;

    use super::*;

    #[test]
    fn pairs_are_told_in_words_and_written_in_codes() {
        let pair = |one: Role, other: Role| RolePair { one: one.into(), other: other.into() };
        let united = [pair(Role::Clerk, Role::Certifier), pair(Role::Protector, Role::Certifier)];
        assert_eq!(
            pairs_told(&united, Language::English),
            "CLERK and CERTIFIER; PROTECTOR and CERTIFIER"
        );
        assert!(pairs_told(&united, Language::Japanese).starts_with("審査担当者（CLERK）と確定者"));
        assert_eq!(
            json!(to_json(&united)),
            json!([["CLERK", "CERTIFIER"], ["PROTECTOR", "CERTIFIER"]])
        );
    }
}
