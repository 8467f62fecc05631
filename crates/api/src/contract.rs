//! The contract as a table: every call, as the descriptor set has it.

use prost::Message as _;
use prost_types::FileDescriptorSet;

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
}

/// Every call, in the order of the files.
pub fn rpcs() -> Vec<Rpc> {
    // Unwrap safety: the bytes were written by this crate's own build.
    let set = FileDescriptorSet::decode(crate::DESCRIPTORS).expect("a descriptor set");
    let with_request_id: Vec<String> = set
        .file
        .iter()
        .flat_map(|file| {
            let messages = file.message_type.iter().filter(|message| {
                message
                    .field
                    .iter()
                    .any(|field| field.name() == "request_id" && field.number() == 1)
            });
            messages.map(|message| format!(".{}.{}", file.package(), message.name()))
        })
        .collect();
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
            has_request_id: with_request_id.iter().any(|known| known == method.input_type()),
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
        let mut services: Vec<&str> = rpcs.iter().map(|rpc| rpc.service.as_str()).collect();
        services.dedup();
        assert_eq!(services.len(), 7);
    }
}
