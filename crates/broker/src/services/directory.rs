//! Directory: agencies, parties, datasets, agreements.

use renkei_api::v1;
use renkei_exchange::agreement::{ActivateAgreement, ApproveAgreement, ProposeAgreement};
use renkei_exchange::command::Call;
use renkei_exchange::directory::{AddAgency, AddParty, ChangeParty, CreateDataset, PartyChange};
use renkei_exchange::permit::{Operate, ReadDirectory};
use renkei_exchange::suspension::{EndAgreement, ResumeAgreement, SuspendAgreement};
use renkei_exchange::{Caller, Refusal};
use tonic::{Request, Response, Status, async_trait};

use super::{Desk, method};
use crate::convert;

impl Desk {
    /// Changes a party and answers the receipt. What is to be changed is read only once the caller may.
    async fn change_party(
        &self,
        caller: Caller,
        call: Call,
        identity: &str,
        change: impl FnOnce() -> Result<PartyChange, Refusal>,
    ) -> Result<Option<v1::Receipt>, Refusal> {
        let permit = self.exchange.state().permit::<Operate>(&caller)?;
        let identity = convert::parse(identity, "identity")?;
        let change = change()?;
        let command = ChangeParty { permit, identity, change };
        let done = self.exchange.execute(call, command).await?;
        Ok(convert::receipt(done.receipt))
    }
}

#[async_trait]
impl v1::directory_server::Directory for Desk {
    async fn add_agency(
        &self,
        request: Request<v1::AddAgencyRequest>,
    ) -> Result<Response<v1::AddAgencyResponse>, Status> {
        let handler = |caller: Caller, call, body: v1::AddAgencyRequest| async move {
            let permit = self.exchange.state().permit::<Operate>(&caller)?;
            let v1::Agency { agency, title } = body.agency.ok_or(Refusal::field("agency"))?;
            let agency = convert::parse(&agency, "agency.agency")?;
            let done = self.exchange.execute(call, AddAgency { permit, agency, title }).await?;
            Ok(v1::AddAgencyResponse { receipt: convert::receipt(done.receipt) })
        };
        self.gate.mutate(method!("Directory", "AddAgency"), request, handler).await
    }

    async fn add_party(
        &self,
        request: Request<v1::AddPartyRequest>,
    ) -> Result<Response<v1::AddPartyResponse>, Status> {
        let handler = |caller: Caller, call, body: v1::AddPartyRequest| async move {
            let permit = self.exchange.state().permit::<Operate>(&caller)?;
            let identity = convert::parse(&body.identity, "identity")?;
            let roles = body.roles.iter().map(|&code| convert::role(code, "roles"));
            let command = AddParty { permit, identity, roles: roles.collect::<Result<_, _>>()? };
            let done = self.exchange.execute(call, command).await?;
            let united = convert::united_by(&self.exchange.state(), &body.identity);
            Ok(v1::AddPartyResponse { receipt: convert::receipt(done.receipt), united })
        };
        self.gate.mutate(method!("Directory", "AddParty"), request, handler).await
    }

    async fn grant_role(
        &self,
        request: Request<v1::GrantRoleRequest>,
    ) -> Result<Response<v1::GrantRoleResponse>, Status> {
        let handler = |caller: Caller, call, body: v1::GrantRoleRequest| async move {
            let change = || Ok(PartyChange::Grant(convert::role(body.role, "role")?));
            let receipt = self.change_party(caller, call, &body.identity, change).await?;
            let united = convert::united_by(&self.exchange.state(), &body.identity);
            Ok(v1::GrantRoleResponse { receipt, united })
        };
        self.gate.mutate(method!("Directory", "GrantRole"), request, handler).await
    }

    async fn revoke_role(
        &self,
        request: Request<v1::RevokeRoleRequest>,
    ) -> Result<Response<v1::RevokeRoleResponse>, Status> {
        let handler = |caller: Caller, call, body: v1::RevokeRoleRequest| async move {
            let change = || Ok(PartyChange::Withdraw(convert::role(body.role, "role")?));
            let receipt = self.change_party(caller, call, &body.identity, change).await?;
            Ok(v1::RevokeRoleResponse { receipt })
        };
        self.gate.mutate(method!("Directory", "RevokeRole"), request, handler).await
    }

    async fn revoke_party(
        &self,
        request: Request<v1::RevokePartyRequest>,
    ) -> Result<Response<v1::RevokePartyResponse>, Status> {
        let handler = |caller: Caller, call, body: v1::RevokePartyRequest| async move {
            let change = || Ok(PartyChange::ShutOut);
            let receipt = self.change_party(caller, call, &body.identity, change).await?;
            Ok(v1::RevokePartyResponse { receipt })
        };
        self.gate.mutate(method!("Directory", "RevokeParty"), request, handler).await
    }

    async fn create_dataset(
        &self,
        request: Request<v1::CreateDatasetRequest>,
    ) -> Result<Response<v1::CreateDatasetResponse>, Status> {
        let handler = |caller: Caller, call, body: v1::CreateDatasetRequest| async move {
            let permit = self.exchange.state().permit::<Operate>(&caller)?;
            let command = CreateDataset {
                permit,
                provider: convert::parse(&body.provider, "provider")?,
                name: convert::parse(&body.name, "name")?,
                title: body.title,
                fields: body.fields.into_iter().collect(),
            };
            let done = self.exchange.execute(call, command).await?;
            let receipt = convert::receipt(done.receipt);
            Ok(v1::CreateDatasetResponse { dataset_id: done.reply.to_string(), receipt })
        };
        self.gate.mutate(method!("Directory", "CreateDataset"), request, handler).await
    }

    async fn propose_agreement(
        &self,
        request: Request<v1::ProposeAgreementRequest>,
    ) -> Result<Response<v1::ProposeAgreementResponse>, Status> {
        let handler = |caller: Caller, call, body: v1::ProposeAgreementRequest| async move {
            let permit = self.exchange.state().permit::<Operate>(&caller)?;
            let terms = convert::terms(body.terms)?;
            let valid_until = terms.valid_until.to_string();
            let done = self.exchange.execute(call, ProposeAgreement { permit, terms }).await?;
            let receipt = convert::receipt(done.receipt);
            let agreement_id = done.reply.to_string();
            Ok(v1::ProposeAgreementResponse { agreement_id, receipt, valid_until })
        };
        self.gate.mutate(method!("Directory", "ProposeAgreement"), request, handler).await
    }

    async fn approve_agreement(
        &self,
        request: Request<v1::ApproveAgreementRequest>,
    ) -> Result<Response<v1::ApproveAgreementResponse>, Status> {
        let handler = |caller: Caller, call, body: v1::ApproveAgreementRequest| async move {
            let permit = self.exchange.state().permit::<Operate>(&caller)?;
            let agreement = convert::known(&body.agreement_id)?;
            let done = self.exchange.execute(call, ApproveAgreement { permit, agreement }).await?;
            Ok(v1::ApproveAgreementResponse { receipt: convert::receipt(done.receipt) })
        };
        self.gate.mutate(method!("Directory", "ApproveAgreement"), request, handler).await
    }

    async fn activate_agreement(
        &self,
        request: Request<v1::ActivateAgreementRequest>,
    ) -> Result<Response<v1::ActivateAgreementResponse>, Status> {
        let handler = |caller: Caller, call, body: v1::ActivateAgreementRequest| async move {
            let permit = self.exchange.state().permit::<Operate>(&caller)?;
            let agreement = convert::known(&body.agreement_id)?;
            let done = self.exchange.execute(call, ActivateAgreement { permit, agreement }).await?;
            Ok(v1::ActivateAgreementResponse { receipt: convert::receipt(done.receipt) })
        };
        self.gate.mutate(method!("Directory", "ActivateAgreement"), request, handler).await
    }

    async fn suspend_agreement(
        &self,
        request: Request<v1::SuspendAgreementRequest>,
    ) -> Result<Response<v1::SuspendAgreementResponse>, Status> {
        let handler = |caller: Caller, call, body: v1::SuspendAgreementRequest| async move {
            let permit = self.exchange.state().permit::<Operate>(&caller)?;
            let agreement = convert::known(&body.agreement_id)?;
            let done = self.exchange.execute(call, SuspendAgreement { permit, agreement }).await?;
            Ok(v1::SuspendAgreementResponse { receipt: convert::receipt(done.receipt) })
        };
        self.gate.mutate(method!("Directory", "SuspendAgreement"), request, handler).await
    }

    async fn resume_agreement(
        &self,
        request: Request<v1::ResumeAgreementRequest>,
    ) -> Result<Response<v1::ResumeAgreementResponse>, Status> {
        let handler = |caller: Caller, call, body: v1::ResumeAgreementRequest| async move {
            let permit = self.exchange.state().permit::<Operate>(&caller)?;
            let agreement = convert::known(&body.agreement_id)?;
            let done = self.exchange.execute(call, ResumeAgreement { permit, agreement }).await?;
            Ok(v1::ResumeAgreementResponse { receipt: convert::receipt(done.receipt) })
        };
        self.gate.mutate(method!("Directory", "ResumeAgreement"), request, handler).await
    }

    async fn end_agreement(
        &self,
        request: Request<v1::EndAgreementRequest>,
    ) -> Result<Response<v1::EndAgreementResponse>, Status> {
        let handler = |caller: Caller, call, body: v1::EndAgreementRequest| async move {
            let permit = self.exchange.state().permit::<Operate>(&caller)?;
            let agreement = convert::known(&body.agreement_id)?;
            let done = self.exchange.execute(call, EndAgreement { permit, agreement }).await?;
            let destroy_by = done.reply.to_string();
            Ok(v1::EndAgreementResponse { receipt: convert::receipt(done.receipt), destroy_by })
        };
        self.gate.mutate(method!("Directory", "EndAgreement"), request, handler).await
    }

    async fn show(
        &self,
        request: Request<v1::ShowRequest>,
    ) -> Result<Response<v1::ShowResponse>, Status> {
        let handler = |caller: Caller, _| async move {
            let state = self.exchange.state();
            state.permit::<ReadDirectory>(&caller)?;
            Ok(convert::directory(&state))
        };
        self.gate.handle(method!("Directory", "Show"), request, handler).await
    }
}
