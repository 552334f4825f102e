//! `fieldgate queue import`: an exported file or another machine's card, into the queue of this gateway.
//!
//! Every record keeps its stream and its number, so the cursor and the primary key of the database make a second import
//! harmless; and every stream keeps the name of the gateway that made it.

use super::Where;
use super::access::Looked;
use super::export::{item, numbers, origins_of};
use super::failure::Failure;
use super::format::{Damage, Decoder};
use super::gather::Gatherer;
use super::progress::Progress;
use super::walk::{Met, Range, walk};
use crate::cli;
use crate::disk::Disk;
use crate::exit::Exit;
use crate::intake::bytes_in;
use crate::local::{self, Imported, give_to_owner, refuse_other_user, running};
use crate::origin::OriginBook;
use config::{Config, GatewayId};
use queue::StreamId;
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

/// What to import.
#[derive(Debug, clap::Args)]
pub struct ImportArguments {
    /// A file that `fieldgate queue export` wrote; - for standard input
    #[arg(required_unless_present = "from", conflicts_with = "from")]
    file: Option<PathBuf>,
    #[command(flatten)]
    place: Where,
    /// The gateway that made it, where a card does not say
    #[arg(long, value_name = "NAME", requires = "from")]
    gateway: Option<String>,
    /// Read and check everything, and take nothing
    #[arg(long)]
    dry_run: bool,
    /// From a file that is damaged or cut, take what stands before the damage
    #[arg(long, conflicts_with = "from")]
    partial: bool,
}

/// What was gathered, and what there is to say of it.
struct Gathered {
    gatherer: Gatherer,
    /// Which gateway made which stream.
    origins: BTreeMap<StreamId, String>,
    is_whole: bool,
}

/// Reads and checks everything, and then has it taken in.
pub fn import(arguments: &ImportArguments) -> Result<Exit, Failure> {
    let config = cli::load(&arguments.place.config)?;
    let state = &config.gateway.state_dir;
    refuse_other_user(state)?;
    let folder = state.join("queue");
    fs::create_dir_all(&folder).map_err(Failure::at(&folder))?;
    let gatherer = Gatherer::begin((!arguments.dry_run).then_some(folder.as_path()))?;
    let gathered = match &arguments.file {
        Some(file) => from_file(arguments, file, &config, gatherer),
        None => from_card(arguments, &config, gatherer),
    };
    // Also what a refused import leaves must not be in the gateway's way.
    give_to_owner(state).map_err(Failure::at(state))?;
    let Gathered { gatherer, origins, is_whole } = gathered?;
    origins.values().try_for_each(|gateway| refuse_bad_name(gateway))?;
    let what = format!("{} readings, gaps and dead letters of {} streams", gatherer.items, gatherer.streams.len());
    match gatherer.finish()? {
        Some(import) => {
            let taken = take_in(&config, &import, &origins);
            let _ = fs::remove_dir_all(&import);
            let Imported { new, already_here } = taken?;
            println!("imported {what}: {new} are new, {already_here} were here already");
        }
        None => println!("would import {what}"),
    }
    Ok(if is_whole { Exit::Ok } else { Exit::No })
}

fn from_file(
    arguments: &ImportArguments,
    file: &Path,
    config: &Config,
    gatherer: Gatherer,
) -> Result<Gathered, Failure> {
    if file == Path::new("-") {
        return decode(
            arguments,
            file,
            BufReader::new(io::stdin().lock()),
            &Progress::new("reading", None),
            config,
            gatherer,
        );
    }
    let opened = File::open(file).map_err(Failure::at(file))?;
    let length = opened.metadata().map_err(Failure::at(file))?.len();
    let progress = Progress::new("reading", Some(length));
    decode(arguments, file, BufReader::new(progress.reader(opened)), &progress, config, gatherer)
}

fn decode(
    arguments: &ImportArguments,
    file: &Path,
    reader: impl BufRead,
    progress: &Progress,
    config: &Config,
    mut gatherer: Gatherer,
) -> Result<Gathered, Failure> {
    let damaged = |damage: Damage| match damage {
        Damage::Io(error) => Failure::at(file)(error),
        at @ Damage::At { .. } => Failure::new(Exit::No, format!("{}: {at}; nothing was imported", file.display())),
    };
    let (mut decoder, header) = Decoder::open(reader).map_err(damaged)?;
    refuse_other_site(config, header.site.as_deref())?;
    let origins = header.streams.into_iter().map(|stream| (stream.stream, stream.gateway)).collect();
    let is_whole = loop {
        match decoder.next() {
            Ok(Some(item)) if BTreeMap::contains_key(&origins, &item.stream) => gatherer.add(item)?,
            Ok(Some(item)) => {
                let words =
                    format!("{}: stream {} is not in the header; nothing was imported", file.display(), item.stream);
                return Err(Failure::new(Exit::No, words));
            }
            Ok(None) => break true,
            Err(at @ Damage::At { .. }) if arguments.partial => {
                progress.say(&format!("{}: {at}; only what stands before it is imported", file.display()));
                break false;
            }
            Err(damage) => return Err(damaged(damage)),
        }
    };
    Ok(Gathered { gatherer, origins, is_whole })
}

fn from_card(arguments: &ImportArguments, config: &Config, mut gatherer: Gatherer) -> Result<Gathered, Failure> {
    let looked = Looked::open(&arguments.place)?;
    let whose = origins_of(&looked, arguments.gateway.as_ref())?;
    refuse_other_site(config, Some(whose.site.as_str()).filter(|site| !site.is_empty()))?;
    let streams = looked.queue.streams()?;
    let progress = Progress::new("reading", Some(numbers(&streams)));
    walk(&looked.queue, &streams, &mut |met| {
        match met {
            Met::Record(stream, record) => {
                progress.add(1);
                gatherer.add(item(stream, record)).map_err(io::Error::other)?;
            }
            Met::Missing(Range { stream, first, last }) => {
                progress.say(&format!("stream {stream}, {first} to {last}: missing on the card"));
            }
            Met::Left(_) => {}
        }
        Ok(ControlFlow::Continue(()))
    })?;
    let origins = gatherer.streams.iter().map(|stream| (*stream, whose.gateway_of(*stream).to_owned())).collect();
    Ok(Gathered { gatherer, origins, is_whole: true })
}

/// The name becomes a row, which a database would refuse for ever.
fn refuse_bad_name(gateway: &str) -> Result<(), Failure> {
    GatewayId::new(gateway).map(drop).map_err(|error| {
        Failure::new(Exit::No, format!("{gateway:?} cannot be the name of a gateway: {error}; nothing was imported"))
    })
}

/// Rows are keyed by site: readings of another one would become channels of this one.
fn refuse_other_site(config: &Config, site: Option<&str>) -> Result<(), Failure> {
    let here = config.gateway.site.as_str();
    match site.filter(|site| *site != here) {
        None => Ok(()),
        Some(site) => Err(Failure::new(
            Exit::No,
            format!(
                "this comes from site {site}, and the gateway here writes site {here}: import it at a gateway of site {site}"
            ),
        )),
    }
}

/// Has the running gateway take it in; without one, opens the queue and does it.
fn take_in(config: &Config, import: &Path, origins: &BTreeMap<StreamId, String>) -> Result<Imported, Failure> {
    let state = &config.gateway.state_dir;
    give_to_owner(state).map_err(Failure::at(state))?;
    if let Some(socket) = running(state) {
        let name = import.file_name().unwrap_or_default().to_string_lossy();
        return Ok(local::import(&socket, &name, origins)?);
    }
    let taken = take_in_here(config, import, origins);
    give_to_owner(state).map_err(Failure::at(state))?;
    taken
}

fn take_in_here(config: &Config, import: &Path, origins: &BTreeMap<StreamId, String>) -> Result<Imported, Failure> {
    let state = &config.gateway.state_dir;
    let mut opened = queue::open(&state.join("queue"))?;
    opened.damaged.iter().for_each(|what| eprintln!("a part of the queue is damaged: {what}"));
    let max_bytes = Disk::look(state).map_err(Failure::at(state))?.max_bytes(&config.queue);
    let bytes = bytes_in(import).map_err(Failure::at(import))?;
    if opened.writer.live_bytes().saturating_add(bytes) > max_bytes {
        return Err(Failure::new(
            Exit::Storage,
            format!("the queue has no room for {bytes} more bytes; raise queue.max"),
        ));
    }
    let known: Vec<StreamId> = opened.reader.known_streams().iter().map(|known| known.stream).collect();
    let names = (config.gateway.id.as_str(), config.gateway.site.as_str());
    // Before the readings, so that the drain never gives a stream the wrong name.
    OriginBook::open(state, names, &known).and_then(|book| book.learn(origins)).map_err(Failure::at(state))?;
    let taken = opened.writer.take_in(import)?;
    opened.writer.close()?;
    Ok(Imported { new: taken.readings, already_here: taken.already_here })
}
