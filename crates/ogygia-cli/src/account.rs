//! The account of a scenario, for somebody who reads it for the first time.

use std::io::{self, Write};

use ogygia::{Loss, Peer};

use crate::explain::{Context, Explained, explain, shown_command, shown_response};
use crate::record::{Entry, Exchange, Phase};
use crate::scenario::{NOTHING, Report, Stage, policy_name};
use crate::terminal::Durations;

/// Writes the account of `report`.
pub(crate) fn write(report: &Report, stage: &Stage, out: &mut dyn Write) -> io::Result<()> {
    let profile = stage.terminal.card.inner().card().profile();
    writeln!(out, "{}: {}", report.scenario.name(), report.scenario.shows())?;
    writeln!(out, "Card: virtual, {} ({})", profile.id, profile.title)?;
    let sam = if stage.options.sam && report.scenario.has_sam() { "virtual SAM" } else { "no SAM" };
    writeln!(out, "Terminal: {sam}, at {}, {}", stage.location, stage.now)?;
    if !report.setup.is_empty() {
        heading(out, "Before: the card was new, so it was")?;
        for line in &report.setup {
            writeln!(out, "  {line}")?;
        }
    }
    heading(out, "What was said")?;
    conversation(&report.entries, out)?;
    if !report.done.decided.is_empty() {
        heading(out, "What was decided, and why")?;
        for line in &report.done.decided {
            writeln!(out, "  {line}")?;
        }
    }
    heading(out, "What changed on the card")?;
    changes(report, out)?;
    heading(out, "Who proved what")?;
    proofs(report, out)?;
    heading(out, "What it took")?;
    cost(report, out)?;
    writeln!(out)?;
    writeln!(out, "{}", report.done.result)
}

fn heading(out: &mut dyn Write, text: &str) -> io::Result<()> {
    writeln!(out, "\n{text}")
}

fn conversation(entries: &[Entry], out: &mut dyn Write) -> io::Result<()> {
    let (mut card, mut sam) = (0, 0);
    let mut digest = Digest::default();
    let selected = entries.iter().find(|entry| entry.phase == Phase::Selection).map_or(0, |entry| entry.began_us);
    for entry in entries.iter().filter(|entry| entry.phase != Phase::Setup) {
        let number = match entry.peer {
            Peer::Card => &mut card,
            Peer::Sam | Peer::ControlSam => &mut sam,
        };
        let what = match entry.phase {
            Phase::Prefetch => "ahead of the next card".to_owned(),
            Phase::Selection => "selection".to_owned(),
            Phase::Transaction if entry.only_closes() => "closes the channel".to_owned(),
            Phase::Transaction | Phase::Setup => {
                *number += 1;
                format!("request {number}")
            }
        };
        let to = match entry.peer {
            Peer::Card => "card reader",
            Peer::Sam => "SAM",
            Peer::ControlSam => "control SAM",
        };
        writeln!(out, "\n  terminal → {to}, {what}{}", when(entry, selected))?;
        for exchange in &entry.exchanges {
            let explained = explain(digest.context(), entry.peer, exchange);
            digest.follow(entry.peer, &explained);
            one(entry.peer, exchange, &explained, &digest, out)?;
        }
        match entry.lost {
            Some(Loss::Peer) => writeln!(out, "    the {} was lost", entry.peer)?,
            Some(Loss::Reader) => writeln!(out, "    the reader of the {} was lost", entry.peer)?,
            None => {}
        }
    }
    Ok(())
}

/// Since the selection: so that one sees who is at work while somebody else is.
fn when(entry: &Entry, selected: u64) -> String {
    match entry.began_us.checked_sub(selected).filter(|_| entry.phase == Phase::Transaction) {
        Some(began) => format!(", from {} to {} ms", milliseconds(began), milliseconds(began + entry.took_us)),
        None => String::new(),
    }
}

fn one(peer: Peer, exchange: &Exchange, explained: &Explained, digest: &Digest, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "    {}: {}{}", explained.name, explained.asks, digest.remark(explained))?;
    writeln!(out, "      ← {}", explained.answers)?;
    writeln!(out, "        {} → {}", shown_command(peer, exchange), shown_response(peer, exchange))
}

/// How far the SAM has followed the conversation with the card: it can be ahead, where answers are certain.
#[derive(Default)]
struct Digest {
    said: usize,
    digested: usize,
    ciphered: bool,
}

impl Digest {
    fn context(&self) -> Context {
        Context { ciphered: self.ciphered, answer_next: !self.digested.is_multiple_of(2) }
    }

    fn follow(&mut self, peer: Peer, explained: &Explained) {
        match (peer, explained.ciphers) {
            (Peer::Card, _) if explained.opens => *self = Self::default(),
            // Not digested.
            (Peer::Card, Some(ciphered)) => self.ciphered = ciphered,
            (Peer::Card, None) => self.said += 2,
            (Peer::Sam | Peer::ControlSam, _) => self.digested += explained.digested,
        }
    }

    /// What is to be said of the messages that were digested just now.
    fn remark(&self, explained: &Explained) -> String {
        let digested = explained.digested;
        match self.digested.saturating_sub(self.said).min(digested) {
            0 => String::new(),
            _ if explained.precedes => String::new(),
            1 if digested == 1 => "; it is still to come, and certain".to_owned(),
            ahead => format!("; the last {ahead} are still to come, and certain"),
        }
    }
}

fn changes(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    if report.done.changed.is_empty() {
        return writeln!(out, "  nothing");
    }
    for change in &report.done.changed {
        writeln!(out, "  {}", change.place)?;
        writeln!(out, "    before: {}", change.before)?;
        writeln!(out, "    after:  {}", change.after)?;
    }
    Ok(())
}

fn proofs(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    if report.done.proofs.is_empty() {
        return writeln!(out, "  {NOTHING}");
    }
    report.done.proofs.iter().try_for_each(|proof| writeln!(out, "  {}", proof.said()))
}

/// With one decimal.
pub(crate) fn milliseconds(us: u64) -> String {
    let tenths = (us + 50) / 100;
    format!("{}.{}", tenths / 10, tenths % 10)
}

/// So many of something.
fn counted(count: usize, one: &str, more: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { more })
}

fn cost(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let counts = report.counts();
    let line = |requests: usize, apdus: usize, bytes: crate::record::Volume| {
        let (requests, apdus) = (counted(requests, "request", "requests"), counted(apdus, "command", "commands"));
        format!("{requests} with {apdus}, {} bytes out, {} in", bytes.out, bytes.back)
    };
    writeln!(out, "  card: {}; selection apart", line(counts.card_requests, counts.card_apdus, counts.card_bytes))?;
    if counts.card_closings > 0 {
        let one = "request that only closes the channel";
        let more = "requests that only close the channel";
        writeln!(out, "        and {}", counted(counts.card_closings, one, more))?;
    }
    let ahead = match counts.sam_prefetches {
        0 => String::new(),
        ahead => format!("; bytes include the challenges fetched ahead: {ahead}"),
    };
    writeln!(out, "  SAM:  {}{ahead}", line(counts.sam_requests, counts.sam_apdus, counts.sam_bytes))?;
    let Durations { selection_us, gate_us, leave_us } = report.durations;
    writeln!(
        out,
        "  time: {} ms until the gate may open, {} ms until the card may leave, after {} ms of selection",
        milliseconds(gate_us),
        milliseconds(leave_us),
        milliseconds(selection_us)
    )?;
    writeln!(out, "        virtual: {}; requests {}", report.model.shows, policy_name(report.policy))
}
