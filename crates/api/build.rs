//! Compiles the contract without a system protoc, and keeps its descriptor set for tests.

use std::path::PathBuf;

use prost::Message as _;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let files = [
        "common",
        "directory",
        "records",
        "linkage",
        "review",
        "benefits",
        "deliveries",
        "audit",
        "admin",
        "enrolment",
    ]
    .map(|name| format!("renkei/v1/{name}.proto"));
    let folder = "../../proto";
    println!("cargo:rerun-if-changed={folder}");
    let descriptors = protox::compile(files, [folder])?;
    let out = PathBuf::from(std::env::var("OUT_DIR")?);
    fs_err::write(out.join("descriptor.bin"), descriptors.encode_to_vec())?;
    // Messages and servers; servers refuse requests that they do not understand whole.
    tonic_prost_build::configure()
        .build_client(false)
        .codec_path("crate::codec::WholeRequests")
        .bytes(".renkei.v1.UploadChunk.data")
        .bytes(".renkei.v1.ExportTransferResponse.data")
        .bytes(".renkei.v1.ExportBundleResponse.data")
        .compile_fds(descriptors.clone())?;
    // Clients, over the same messages.
    let clients = out.join("clients");
    fs_err::create_dir_all(&clients)?;
    tonic_prost_build::configure()
        .build_server(false)
        .extern_path(".renkei.v1", "crate::v1")
        .out_dir(clients)
        .compile_fds(descriptors)?;
    Ok(())
}
