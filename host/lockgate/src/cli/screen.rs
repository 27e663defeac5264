//! What is printed, in the form that was asked for.
//!
//! Enters: answers of the server and tables made of them. Leaves: standard output. Invariant: with `-o json` a REST object
//! is printed byte for byte as it came, followed by a newline; with `-o yaml` it is the same object.

use std::io::Write as _;

use clap::ValueEnum;
use serde::Serialize;
use serde_json::Value;

use super::failure::Failure;
use super::remote::Answer;

/// The form of what is printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people
    #[default]
    Table,
    /// The REST object as it came, on one line
    Json,
    /// The REST object as YAML
    Yaml,
}

/// Standard output.
#[derive(Debug)]
pub struct Screen {
    format: Format,
    out: std::io::Stdout,
}

impl Screen {
    /// In this form.
    pub fn new(format: Format) -> Self {
        Self { format, out: std::io::stdout() }
    }

    /// True if people read it.
    pub fn is_for_people(&self) -> bool {
        self.format == Format::Table
    }

    /// An answer, or the text that people get instead.
    pub fn show(
        &mut self,
        answer: &Answer,
        for_people: impl FnOnce(&Value) -> Result<String, Failure>,
    ) -> Result<(), Failure> {
        let text = self.form(answer, for_people)?;
        self.print(&text)
    }

    /// Likewise, without printing it.
    pub fn form(
        &self,
        answer: &Answer,
        for_people: impl FnOnce(&Value) -> Result<String, Failure>,
    ) -> Result<String, Failure> {
        match self.format {
            Format::Table => for_people(&answer.json()?),
            Format::Json => Ok(line(&answer.body)),
            Format::Yaml => yaml(&answer.json()?),
        }
    }

    /// An object of our own for scripts; people have read its parts already.
    pub fn report(&mut self, object: &impl Serialize) -> Result<(), Failure> {
        let text = match self.format {
            Format::Table => return Ok(()),
            Format::Json => serde_json::to_string(object).map(|text| line(&text)).map_err(|e| unwritable(&e))?,
            Format::Yaml => yaml(object)?,
        };
        self.print(&text)
    }

    /// A line for people; scripts have the exit status.
    pub fn tell(&mut self, text: &str) -> Result<(), Failure> {
        if self.is_for_people() { self.print(&line(text)) } else { Ok(()) }
    }

    /// Text as it is.
    pub fn print(&mut self, text: &str) -> Result<(), Failure> {
        self.out.write_all(text.as_bytes())?;
        Ok(self.out.flush()?)
    }
}

fn line(text: &str) -> String {
    format!("{}\n", text.trim_end_matches('\n'))
}

fn yaml(object: &impl Serialize) -> Result<String, Failure> {
    serde_saphyr::to_string(object).map(|text| line(&text)).map_err(|e| unwritable(&e))
}

fn unwritable(error: &impl std::fmt::Display) -> Failure {
    Failure::Invalid(format!("the answer cannot be written in this form: {error}"))
}
