//! Writes the manual pages and the bash completion of `fieldgate`, from its own command line, into a folder that
//! exists. For the Debian package; not shipped:
//!
//!     cargo run --package fieldgate --example man_and_completion -- FOLDER

use clap::CommandFactory;
use clap_complete::Shell;
use gateway::cli::Arguments;
use std::error::Error;
use std::path::PathBuf;

fn main() -> Result<(), Box<dyn Error>> {
    let folder = std::env::args_os().nth(1).map(PathBuf::from).ok_or("name the folder to write into")?;
    // `fieldgate help VERB` shows what `fieldgate VERB --help` shows; it needs no pages.
    let command = Arguments::command().disable_help_subcommand(true);
    clap_mangen::generate_to(command.clone(), &folder)?;
    clap_complete::generate_to(Shell::Bash, &mut command.clone(), "fieldgate", &folder)?;
    Ok(())
}
