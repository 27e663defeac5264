//! Looking again and again.
//!
//! Enters: a way to look. Leaves: what was seen, each time it differs. Invariant: a look that fails on the way is said once and
//! tried again; only a thing that is gone ends the watching, else a signal does.

use std::thread::sleep;
use std::time::Duration;

use clap::Args;

use super::failure::Failure;
use super::screen::Screen;

/// Options of commands that can watch.
#[derive(Args, Debug)]
pub struct Watch {
    /// Prints it again whenever it has changed, until Ctrl-C
    #[arg(short, long)]
    watch: bool,
    /// How often to look, for example 500ms
    #[arg(long, default_value = "1s", value_parser = humantime::parse_duration, value_name = "DURATION")]
    interval: Duration,
}

impl Watch {
    /// Prints what a look gives, once or as long as nobody ends it.
    pub fn run(
        &self,
        screen: &mut Screen,
        mut look: impl FnMut(&Screen) -> Result<String, Failure>,
    ) -> Result<(), Failure> {
        let mut last = look(screen)?;
        screen.print(&last)?;
        if !self.watch {
            return Ok(());
        }
        let mut said = false;
        loop {
            sleep(self.interval);
            match look(screen) {
                Ok(text) if text == last => said = false,
                Ok(text) => {
                    let gap = if screen.is_for_people() { "\n" } else { "" };
                    screen.print(&format!("{gap}{text}"))?;
                    (last, said) = (text, false);
                }
                Err(failure) if failure.code() == 3 => return Err(failure),
                Err(failure) => {
                    if !said {
                        failure.say();
                    }
                    said = true;
                }
            }
        }
    }
}
