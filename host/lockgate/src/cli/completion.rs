//! `lockgate completion`: what a shell needs to complete a command line.
//!
//! Enters: the shell. Leaves: its script, on standard output. Invariant: made from the command line itself, so never behind it.

use clap_complete::{Shell, generate};

use super::failure::Failure;
use super::screen::{Format, Screen};

/// Runs it.
pub fn run(shell: Shell, mut program: clap::Command) -> Result<(), Failure> {
    let mut script = Vec::new();
    generate(shell, &mut program, "lockgate", &mut script);
    Screen::new(Format::Table).print(&String::from_utf8_lossy(&script))
}
