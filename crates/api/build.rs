//! Compiles the contract without a system protoc, and keeps its descriptor set for tests.

use std::path::PathBuf;

use prost::Message as _;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let files =
        ["common", "directory", "records", "linkage", "review", "benefits", "deliveries", "audit"]
            .map(|name| format!("renkei/v1/{name}.proto"));
    let folder = "../../proto";
    println!("cargo:rerun-if-changed={folder}");
    let descriptors = protox::compile(files, [folder])?;
    let out = PathBuf::from(std::env::var("OUT_DIR")?);
    fs_err::write(out.join("descriptor.bin"), descriptors.encode_to_vec())?;
    tonic_prost_build::configure()
        .bytes(".renkei.v1.UploadChunk.data")
        .bytes(".renkei.v1.ExportTransferResponse.data")
        .bytes(".renkei.v1.ExportBundleResponse.data")
        .compile_fds(descriptors)?;
    Ok(())
}
