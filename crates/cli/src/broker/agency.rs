//! `renkei agency`: legal bodies.

use clap::Subcommand;
use renkei_api::v1::{AddAgencyRequest, Agency, ShowRequest};
use renkei_types::AgencyId;
use serde_json::json;

use super::session::{self, RequestArgument, plain};
use crate::environment::Environment;
use crate::failure::{Exit, Failure};
use crate::json;
use crate::text_table::text_table;

#[derive(Debug, Subcommand)]
pub(crate) enum AgencyCommand {
    /// Register a legal body
    Add {
        /// Municipality code and body, such as 131016/benefits
        agency: AgencyId,
        /// Its name for people
        #[arg(long, value_name = "TEXT")]
        title: String,
        #[command(flatten)]
        request: RequestArgument,
    },
    /// Show every legal body
    List,
}

pub(super) fn run(command: &AgencyCommand, environment: &Environment) -> Result<Exit, Failure> {
    session::with(environment, async |session| match command {
        AgencyCommand::Add { agency, title, request } => {
            let id = session.request_id(*request);
            let agency = agency.to_string();
            let call = AddAgencyRequest {
                request_id: id.to_string(),
                agency: Some(Agency { agency: agency.clone(), title: title.clone() }),
            };
            let answer = session.change(&id, call).await?;
            Ok(session.done(json!({"agency": agency}), &agency, answer.receipt.as_ref()))
        }
        AgencyCommand::List => {
            let agencies = session.ask(ShowRequest {}).await?.agencies;
            if environment.json {
                let agency =
                    |agency: &Agency| json!({"agency": agency.agency, "title": agency.title});
                let agencies: Vec<_> = agencies.iter().map(agency).collect();
                json::print(&json!({"agencies": agencies}));
                return Ok(Exit::Done);
            }
            let header = vec![environment.say("agency", "機関"), environment.say("name", "名称")];
            let mut table = text_table(header, &[]);
            for agency in &agencies {
                table.add_row(vec![plain(&agency.agency), plain(&agency.title)]);
            }
            print_line!("{table}");
            Ok(Exit::Done)
        }
    })
}
