//! `renkei generate`: a synthetic register and payment list with known truth.

use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use renkei_testkit::{FILE_NAMES, Files, GenerateError, Mix, Recipe, RecipeError, Stage, generate};
use renkei_types::Yen;
use serde_json::json;

use crate::arguments::{GenerateArguments, MixArgument};
use crate::environment::Environment;
use crate::failure::{CommandError, Exit, Failure};
use crate::json;
use crate::progress::Progress;

impl From<MixArgument> for Mix {
    fn from(argument: MixArgument) -> Self {
        match argument {
            MixArgument::Typical => Self::Typical,
            MixArgument::Nasty => Self::Nasty,
        }
    }
}

pub(crate) fn run(
    arguments: &GenerateArguments,
    environment: &Environment,
) -> Result<Exit, Failure> {
    let recipe = Recipe {
        residents: arguments.residents,
        lines: arguments.lines,
        mix: arguments.mix.into(),
        seed: arguments.seed,
    };
    fs_err::create_dir_all(&arguments.dir)
        .map_err(|error| CommandError::file(&arguments.dir, error))?;
    let paths = FILE_NAMES.map(|name| arguments.dir.join(name));
    let parts = paths.clone().map(|path| path.with_extension("csv.part"));
    let written = write_parts(&recipe, &parts, environment);
    let totals = match written {
        Ok(totals) => totals,
        Err(failure) => {
            // Best effort: the error that matters is the one that is told.
            parts.iter().for_each(|part| drop(fs_err::remove_file(part)));
            return Err(failure);
        }
    };
    for (part, path) in parts.iter().zip(&paths) {
        fs_err::rename(part, path).map_err(|error| CommandError::file(path, error))?;
    }
    let files: Vec<String> = paths.iter().map(|path| path.display().to_string()).collect();
    if environment.json {
        json::print(&json!({
            "residents": totals.residents,
            "households": totals.households,
            "lines": totals.lines,
            "nonresidents": totals.nonresidents,
            "duplicates": totals.duplicates,
            "yen": totals.yen,
            "files": files,
        }));
    } else {
        let (residents, lines, yen) = (totals.residents, totals.lines, Yen(totals.yen));
        environment.note(
            &format!("{residents} residents, {lines} lines, {yen} yen: {}", files.join(" ")),
            &format!("住民 {residents} 人、{lines} 行、{yen} 円: {}", files.join(" ")),
        );
    }
    Ok(Exit::Done)
}

fn write_parts(
    recipe: &Recipe,
    parts: &[PathBuf; 4],
    environment: &Environment,
) -> Result<renkei_testkit::Totals, Failure> {
    let create = |path: &Path| {
        fs_err::File::create(path)
            .map(BufWriter::new)
            .map_err(|error| CommandError::file(path, error))
    };
    let [residents, payments, truth, classes] = parts;
    let (mut residents, mut payments) = (create(residents)?, create(payments)?);
    let (mut truth, mut classes) = (create(truth)?, create(classes)?);
    let mut shown: Option<(Stage, Progress)> = None;
    let files = Files {
        residents: &mut residents,
        payments: &mut payments,
        truth: &mut truth,
        classes: &mut classes,
    };
    let totals = generate(recipe, files, &mut |stage, done, total| {
        if shown.as_ref().is_none_or(|(current, _)| *current != stage) {
            let (english, japanese) = match stage {
                Stage::People => ("settling people", "住民の生成"),
                Stage::Lines => ("drawing lines", "申請の生成"),
                Stage::Register => ("writing register", "台帳の書き出し"),
            };
            let progress = Progress::lines(environment, english, japanese, total as u64);
            shown = Some((stage, progress));
        }
        if let Some((_, progress)) = &shown {
            progress.set(done as u64);
        }
    })
    .map_err(|error| match error {
        GenerateError::Recipe(error) => CommandError::Plain(recipe_error(&error, environment)),
        GenerateError::Write { file, source } => {
            CommandError::File { file: file.to_owned(), source }
        }
    })?;
    for (path, file) in parts.iter().zip([&mut residents, &mut payments, &mut truth, &mut classes])
    {
        file.flush().map_err(|error| CommandError::file(path, error))?;
    }
    Ok(totals)
}

/// What a recipe asks too much of, in the user's language.
pub(crate) fn recipe_error(error: &RecipeError, environment: &Environment) -> String {
    let japanese = match error {
        RecipeError::Residents { residents, max } => {
            format!("住民 {residents} 人: 1 人から {max} 人までです")
        }
        RecipeError::Lines { lines, residents } => {
            format!("住民 {residents} 人に {lines} 行: 行数は住民数以下にしてください")
        }
        RecipeError::UnknownMix => "誤りの割合は typical か nasty です".to_owned(),
    };
    environment.language.pick(error.to_string(), japanese)
}
