//! One-time tokens, with which somebody who has no certificate yet asks for the first one.
//!
//! A token is made here and shown once; the broker is sent its digest alone and cannot repeat it. So an invitation is never
//! repeated but replaced: whoever lost the token invites again, and the older token is worth nothing.

use clap::Args;
use renkei_api::v1::{InviteRequest, Receipt};
use renkei_types::{Digest, Entropy, Identity};
use serde_json::{Value, json};

use super::session::{Session, receipt_json};
use crate::failure::Failure;

/// Random bytes of a token.
const TOKEN_BYTES: usize = 20;

/// Whether a token is made along with a party.
#[derive(Args, Clone, Copy, Debug)]
pub(crate) struct InviteArgument {
    /// Also make a one-time token for `renkei join`, and show it once
    #[arg(long)]
    token: bool,
    /// Days for which the token holds, 1 to 30
    #[arg(long, value_name = "N", default_value_t = 7, requires = "token",
          value_parser = clap::value_parser!(u32).range(1..=30))]
    token_days: u32,
}

impl InviteArgument {
    /// For how many days somebody is invited, if at all.
    pub(super) fn days(self) -> Option<u32> {
        self.token.then_some(self.token_days)
    }
}

/// An invitation that the broker knows.
pub(super) struct Invitation {
    token: String,
    until: String,
    pub(super) receipt: Option<Receipt>,
}

impl Invitation {
    /// The token, for whom it is meant and for nobody else.
    pub(super) fn token(&self) -> &str {
        &self.token
    }

    pub(super) fn json(&self) -> Value {
        json!({"token": self.token, "until": self.until, "receipt": receipt_json(self.receipt.as_ref())})
    }

    /// Says what to do with the token.
    pub(super) fn explain(&self, session: &Session<'_>) {
        let until = &self.until;
        session.environment.note(
            &format!("the token is shown this once; give it to its owner alone. Until {until} it is good for one `renkei join`"),
            &format!("このトークンは一度しか表示されません。本人だけに渡してください。{until} まで、`renkei join` に一度だけ使えます"),
        );
    }
}

fn draw(entropy: &dyn Entropy) -> String {
    let mut bytes = [0; TOKEN_BYTES];
    entropy.fill(&mut bytes);
    format!("join_{}", renkei_api::hex(&bytes))
}

/// Invites a system or a person that is registered.
pub(super) async fn invite(
    session: &Session<'_>,
    identity: &Identity,
    days: u32,
) -> Result<Invitation, Failure> {
    let token = draw(session.entropy());
    let call = InviteRequest {
        request_id: session.new_request_id().to_string(),
        identity: identity.to_string(),
        token_sha256: Digest::of(token.as_bytes()).as_bytes().to_vec(),
        days,
    };
    let answer = session.ask(call).await?;
    Ok(Invitation { token, until: answer.until, receipt: answer.receipt })
}

#[cfg(test)]
mod tests {
    use renkei_types::SeededEntropy;

    use super::*;

    #[test]
    fn tokens_are_long_and_never_the_same() {
        let entropy = SeededEntropy::new(1);
        let (one, other) = (draw(&entropy), draw(&entropy));
        assert_ne!(one, other);
        assert_eq!(one.len(), "join_".len() + 2 * TOKEN_BYTES);
    }
}
