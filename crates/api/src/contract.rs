//! The contract as a table: every call, as the descriptor set has it.

use std::collections::HashMap;

use prost::Message as _;
use prost_types::{DescriptorProto, FileDescriptorSet};

/// One call of the contract.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Rpc {
    /// The service, such as `Directory`.
    pub service: String,
    /// The call, such as `AddAgency`.
    pub method: String,
    /// Its path on the wire.
    pub path: String,
    /// Whether the request is a stream.
    pub client_streaming: bool,
    /// Whether the request carries a request id, which is then its first field.
    pub has_request_id: bool,
    /// The fields of the request that name a thing by its id: noun and number, as in `list` and 2.
    pub ids: Vec<(String, u32)>,
}

/// The noun of a field that holds an id of ours; nothing for other fields.
fn noun(field: &str) -> Option<&str> {
    const NOUNS: [&str; 8] =
        ["agreement", "batch", "dataset", "job", "list", "programme", "task", "upload"];
    field.strip_suffix("_id").filter(|noun| NOUNS.contains(noun))
}

/// Every call, in the order of the files.
pub fn rpcs() -> Vec<Rpc> {
    // Unwrap safety: the bytes were written by this crate's own build.
    let set = FileDescriptorSet::decode(crate::DESCRIPTORS).expect("a descriptor set");
    let messages: HashMap<String, &DescriptorProto> = set
        .file
        .iter()
        .flat_map(|file| {
            let of_file = file.message_type.iter();
            of_file.map(|message| (format!(".{}.{}", file.package(), message.name()), message))
        })
        .collect();
    let fields = |message: &str| messages.get(message).map_or(&[][..], |known| &known.field);
    let has_request_id = |message: &str| {
        fields(message).iter().any(|field| field.name() == "request_id" && field.number() == 1)
    };
    let ids = |message: &str| {
        let of_message = fields(message).iter();
        of_message
            .filter_map(|field| {
                let number = u32::try_from(field.number()).ok()?;
                Some((noun(field.name())?.to_owned(), number))
            })
            .collect()
    };
    set.file
        .iter()
        .flat_map(|file| file.service.iter().map(move |service| (file, service)))
        .flat_map(|(file, service)| {
            service.method.iter().map(move |method| (file, service, method))
        })
        .map(|(file, service, method)| Rpc {
            service: service.name().to_owned(),
            method: method.name().to_owned(),
            path: format!("/{}.{}/{}", file.package(), service.name(), method.name()),
            client_streaming: method.client_streaming(),
            has_request_id: has_request_id(method.input_type()),
            ids: ids(method.input_type()),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_service_of_the_contract_is_in_the_table() {
        let rpcs = rpcs();
        let upload = rpcs.iter().find(|rpc| rpc.path == "/renkei.v1.Records/Upload");
        assert!(upload.is_some_and(|rpc| rpc.client_streaming && !rpc.has_request_id));
        let seal = rpcs.iter().find(|rpc| rpc.path == "/renkei.v1.Records/Seal");
        assert!(seal.is_some_and(|rpc| !rpc.client_streaming && rpc.has_request_id));
        let job = rpcs.iter().find(|rpc| rpc.path == "/renkei.v1.Linkage/CreateJob");
        let ids = [("list".to_owned(), 2), ("dataset".to_owned(), 3)];
        assert!(job.is_some_and(|rpc| rpc.ids == ids));
        let mut services: Vec<&str> = rpcs.iter().map(|rpc| rpc.service.as_str()).collect();
        services.sort_unstable();
        services.dedup();
        let known = [
            "Admin",
            "Audit",
            "Benefits",
            "Deliveries",
            "Directory",
            "Enrolment",
            "Linkage",
            "Records",
            "Review",
        ];
        assert_eq!(services, known);
    }
}
