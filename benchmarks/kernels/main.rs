//! `cargo run --release -p renkei-benchmarks --bin kernels`: what the inner loops of the engine cost, and beside each what
//! the machine allows.
//!
//! A loop cannot be faster than reading its bytes, or than the memory answers. That floor is measured in the same run, in
//! turn with the loop, and so are the same thing written plainly and the libraries that do it. Prints tables in Markdown;
//! `benchmarks/peers/run --kernels PROGRAM` puts them on the page of benchmarks.
//!
//! Options: `--residents N` of the generated city (100,000), `--keys N` of the index (8,000,000), `--rounds N` (9).

#![allow(clippy::disallowed_methods, reason = "measuring is reading the clock")]

mod contest;
mod lookup;
mod normalise;
mod people;
mod reading;
mod scoring;
mod similarity;

use anyhow::{Context as _, Result};

use contest::Contest;
use people::People;

/// Some kernels, and what a table of them says.
struct Group<'a> {
    title: &'static str,
    /// What its columns are.
    about: String,
    contests: Vec<Contest<'a>>,
}

fn number(name: &str, default: usize) -> Result<usize> {
    let mut arguments = std::env::args().skip_while(|argument| argument != name).skip(1);
    let Some(text) = arguments.next() else { return Ok(default) };
    text.parse().with_context(|| format!("{name} {text}: not a number"))
}

fn main() -> Result<()> {
    if cfg!(debug_assertions) {
        eprintln!("built without optimisation: these figures mean nothing; use --release");
    }
    let rounds = number("--rounds", 9)?.max(1);
    let people = People::generate(number("--residents", 100_000)?)?;
    let index = lookup::Index::build(number("--keys", 8_000_000)?);
    let groups = [
        similarity::group(&people),
        normalise::group(&people),
        lookup::group(&index),
        scoring::group(),
        reading::group(&people)?,
    ];
    println!(
        "The fastest of {rounds} rounds, in which all stand in turn. In brackets: how many times the time of ours, or \
         which part of it.\n"
    );
    for Group { title, about, mut contests } in groups {
        eprintln!("measuring: {title}");
        contests.iter_mut().for_each(|contest| contest.measure(rounds));
        println!("### {title}\n\n{about}\n\n{}\n", contest::table(&contests));
    }
    Ok(())
}
