//! Linking the sample: what is written, what is counted, how good it is, and every option of `link`.
//!
//! One program of tests, since linking a program takes longer than running these.

#[path = "../support/mod.rs"]
mod support;

mod accuracy;
mod candidates;
mod costs;
mod linking;
mod models;
mod outputs;
mod rejections;
mod report;
mod rows;
mod sameness;
