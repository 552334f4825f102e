//! `fieldgate queue export`: everything in the queue, in a file.

use super::access::Looked;
use super::failure::Failure;
use super::format::{Encoder, ExportedStream, Format, Header, Item, VERSION};
use super::output::write_to;
use super::progress::Progress;
use super::walk::{Met, Range, walk};
use super::{Where, words};
use crate::exit::Exit;
use crate::local::QueuedStream;
use crate::origin::Origins;
use queue::{Numbered, StreamId};
use sensors::{KernelClock, SampleClock};
use std::io::Write;
use std::ops::ControlFlow;
use std::path::PathBuf;

/// What to write, and where.
#[derive(Debug, clap::Args)]
pub struct ExportArguments {
    #[command(flatten)]
    place: Where,
    /// How to write it
    #[arg(long, value_enum, default_value_t = Format::Ndjson)]
    format: Format,
    /// The file, which gets its name when it is whole; - for standard output
    #[arg(long, short, value_name = "FILE", default_value = "-")]
    output: PathBuf,
    /// Only this stream, 16 hexadecimal digits
    #[arg(long)]
    stream: Option<StreamId>,
    /// The gateway whose card it is, where the card does not say
    #[arg(long, value_name = "NAME", requires = "from")]
    gateway: Option<String>,
}

/// Exports up to where each stream ends now.
pub fn export(arguments: &ExportArguments) -> Result<Exit, Failure> {
    let looked = Looked::open(&arguments.place)?;
    let mut streams = looked.queue.streams()?;
    streams.retain(|stream| stream.queued.is_some() && arguments.stream.is_none_or(|wanted| wanted == stream.stream));
    if let Some(wanted) = arguments.stream.filter(|_| streams.is_empty()) {
        return Err(Failure::new(
            Exit::No,
            format!("the queue holds nothing of stream {wanted}; see `fieldgate queue stat`"),
        ));
    }
    let header = header(&streams, &origins(&looked, arguments)?)?;
    let told = write_to(&arguments.output, |out| write(out, arguments.format, &header, &looked, &streams))?;
    told.show();
    Ok(Exit::Ok)
}

/// Whose queue it is.
pub fn origins_of(looked: &Looked, gateway: Option<&String>) -> Result<Origins, Failure> {
    let known = looked.origins.clone();
    let with_name = |name: &String| Origins { gateway: name.clone(), ..known.clone().unwrap_or_default() };
    gateway.map(with_name).or_else(|| known.clone()).ok_or_else(|| {
        let words = "does not say which gateway it belongs to: name it with --gateway";
        Failure::new(Exit::Usage, format!("{} {words}", looked.folder.display()))
    })
}

fn origins(looked: &Looked, arguments: &ExportArguments) -> Result<Origins, Failure> {
    origins_of(looked, arguments.gateway.as_ref())
}

fn header(streams: &[QueuedStream], origins: &Origins) -> Result<Header, Failure> {
    let now_us = KernelClock::open()?.stamp().wall_us;
    let exported = |stream: &QueuedStream| {
        let (first, last) = stream.queued?;
        let gateway = origins.gateway_of(stream.stream).to_owned();
        Some(ExportedStream { stream: stream.stream, order: stream.order, gateway, first, last })
    };
    let site = Some(origins.site.clone()).filter(|site| !site.is_empty());
    Ok(Header {
        fieldgate_export: VERSION,
        program: env!("CARGO_PKG_VERSION").to_owned(),
        gateway: origins.gateway.clone(),
        site,
        exported_at: words::time(now_us),
        streams: streams.iter().filter_map(exported).collect(),
        sum: String::new(),
    }
    .sealed())
}

/// What to tell afterwards.
struct Told {
    items: u64,
    left: Vec<Range>,
    missing: Vec<Range>,
}

impl Told {
    /// On standard error: standard output may be the export.
    fn show(&self) {
        eprintln!("exported {} readings, gaps and dead letters", self.items);
        for Range { stream, first, last } in &self.left {
            eprintln!("stream {stream}, {first} to {last}: left the queue while exporting; a database has it");
        }
        for Range { stream, first, last } in &self.missing {
            eprintln!("stream {stream}, {first} to {last}: missing in the queue; see `fieldgate queue verify`");
        }
    }
}

fn write(
    out: &mut dyn Write,
    format: Format,
    header: &Header,
    looked: &Looked,
    streams: &[QueuedStream],
) -> Result<Told, Failure> {
    let mut encoder = Encoder::begin(format, out, header)?;
    let progress = Progress::new("exporting", Some(numbers(streams)));
    let (mut left, mut missing) = (Vec::new(), Vec::new());
    walk(&looked.queue, streams, &mut |met| {
        match met {
            Met::Record(stream, record) => {
                progress.add(1);
                encoder.item(&item(stream, record))?;
            }
            Met::Missing(range) => missing.push(range),
            Met::Left(range) => left.push(range),
        }
        Ok(ControlFlow::Continue(()))
    })?;
    let items = encoder.end(left.clone(), missing.clone())?;
    Ok(Told { items, left, missing })
}

/// A record with its place.
pub fn item(stream: &QueuedStream, numbered: Numbered) -> Item {
    let Numbered { seq, written_ms, record } = numbered;
    Item { stream: stream.stream, order: stream.order, seq, written_ms, record }
}

/// How many numbers the queue holds of these streams, with those that are missing.
pub fn numbers(streams: &[QueuedStream]) -> u64 {
    let held = streams.iter().filter_map(|stream| stream.queued);
    held.fold(0, |sum: u64, (first, last)| sum.saturating_add(last.saturating_sub(first)).saturating_add(1))
}
