//! Sends a list, links it, and says what became of its lines.
//!
//! `cargo run -p renkei-api --example send_list -- payments.toml programme_… dataset_… payments.csv LINES YEN`

mod errand;

#[tokio::main(flavor = "current_thread")]
async fn main() -> errand::Done {
    let [client, programme, register, file, lines, yen] = errand::arguments()?;
    let errand = errand::Errand::begin(&client)?;
    let list = errand.open_list(&programme, "from-rust").await?;
    let sealed = errand.send(&list.upload_id, &file, lines.parse()?, yen.parse()?).await?;
    let job = errand.link(&list.list_id, &register).await?;
    for part in &job.outcomes {
        println!("{} {:?}", part.outcome().as_str_name(), part.totals.unwrap_or_default());
    }
    println!("leaf {}", sealed.receipt.unwrap_or_default().leaf_index);
    Ok(())
}
