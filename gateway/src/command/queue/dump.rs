//! `fieldgate queue dump`: every record, one a line.

use super::Where;
use super::access::Looked;
use super::export::item;
use super::failure::Failure;
use super::walk::{Met, Range, walk};
use super::{format, words};
use crate::exit::Exit;
use queue::StreamId;
use std::io::{self, BufWriter, Write};
use std::ops::ControlFlow;

/// What to show.
#[derive(Debug, clap::Args)]
pub struct DumpArguments {
    #[command(flatten)]
    place: Where,
    /// Only this stream, 16 hexadecimal digits
    #[arg(long)]
    stream: Option<StreamId>,
    /// Only from this number on, in each stream
    #[arg(long, value_name = "N", default_value_t = 1)]
    from_seq: u64,
    /// At most so many records
    #[arg(long, value_name = "N")]
    limit: Option<u64>,
    /// A JSON object a line, as in an export
    #[arg(long)]
    json: bool,
}

/// Shows it.
pub fn dump(arguments: &DumpArguments) -> Result<Exit, Failure> {
    let looked = Looked::open(&arguments.place)?;
    let mut streams = looked.queue.streams()?;
    streams.retain(|stream| arguments.stream.is_none_or(|wanted| wanted == stream.stream));
    for stream in &mut streams {
        stream.queued = stream.queued.map(|(first, last)| (first.max(arguments.from_seq), last));
    }
    let mut out = BufWriter::new(io::stdout().lock());
    let mut room = arguments.limit.unwrap_or(u64::MAX);
    walk(&looked.queue, &streams, &mut |met| {
        if room == 0 {
            return Ok(ControlFlow::Break(()));
        }
        match met {
            Met::Record(stream, record) if arguments.json => {
                out.write_all(&format::json_line(&item(stream, record))?)?
            }
            Met::Record(stream, record) => {
                let (kind, line) = (words::kind_name(record.record.kind), words::line(&record.record));
                writeln!(out, "{} {} {kind} {line}", stream.stream, record.seq)?;
            }
            Met::Missing(range) if !arguments.json => writeln!(out, "{}", absent(&range, "missing"))?,
            Met::Left(range) if !arguments.json => writeln!(out, "{}", absent(&range, "has left the queue by now"))?,
            Met::Missing(_) | Met::Left(_) => return Ok(ControlFlow::Continue(())),
        }
        room -= 1;
        Ok(ControlFlow::Continue(()))
    })?;
    out.flush()?;
    Ok(Exit::Ok)
}

fn absent(Range { stream, first, last }: &Range, why: &str) -> String {
    format!("{stream} {first} to {last} {why}")
}
