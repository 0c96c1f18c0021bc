//! The command line as it is written, before anything is looked up.

use std::convert::Infallible;
use std::fmt;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use ogygia_sim::clock::Model;

use crate::{hex, pki, sam};

/// Runs, reads and checks Calypso transactions. Without readers, on a virtual card and a virtual SAM.
#[derive(Debug, Parser)]
#[command(name = "ogygia", version, about, after_help = exit_codes!())]
pub struct Arguments {
    /// What to do.
    #[command(subcommand)]
    pub action: Action,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Action {
    /// Run a transaction and tell who said what to whom
    Run(Run),
    /// Show what is on a card
    Read(Read),
    /// List the PC/SC readers, and what is in them
    #[command(after_help = exit_codes!())]
    Readers,
    /// Make, show and verify certificates of cards
    #[command(after_help = exit_codes!())]
    Pki {
        /// What to do with them
        #[command(subcommand)]
        action: pki::Action,
    },
    /// Show what a SAM tells of itself, and have it sign
    #[command(after_help = exit_codes!())]
    Sam {
        /// What to do with it
        #[command(subcommand)]
        action: sam::Action,
    },
    /// Compare policies, bytes and virtual times of scenarios in a table
    Bench(Bench),
    /// Replay recorded exchanges, and judge certificates, files or folders
    #[command(after_help = exit_codes!())]
    Conform {
        /// What to replay: files, or folders, of which every .json file is replayed, and so of the folders below
        #[arg(required = true, value_name = "PATH")]
        paths: Vec<PathBuf>,
    },
}

/// What the exit codes mean: the help of each command ends with it.
macro_rules! exit_codes {
    () => {
        "\
Exit codes: 0 when all is as hoped; 1 when a card, a SAM or a certificate is refused, a vector failed, or it could not be
done; 2 for wrong usage, which includes a file named to be read that is not there, or is no card or vectors at all."
    };
}
pub(crate) use exit_codes;

const COUNTED: &str = concat!(
    "\
What --json counts, as the specification of transactions does:
  card_requests, sam_requests  grouped transmissions of the transaction, whatever the number of commands in each
  card_closings                those to the card that only close the channel, without commands; else only in the times
  selection_requests           those that select the application; in no other figure
  sam_prefetches               those that fetch a challenge before the card comes, one command each
  card_apdus, sam_apdus        commands in card_requests and sam_requests
  card_bytes                   bytes of card_requests and of their answers, status words included
  sam_bytes                    the same of sam_requests and sam_prefetches together
  virtual_us                   virtual microseconds from the first request of the transaction until the gate may open: the
                               card is authenticated; until all is done where no session authenticates it
  virtual_leave_us             the same until the card may leave: all is done, and its session ratified
  virtual_selection_us         those of the selection, in neither of the two
What makes a new card ready for a scenario is not counted.

",
    exit_codes!()
);

/// Over the options that are refused with other scenarios: see [`crate::options`].
const SOME: &str = "Options of some scenarios";

/// `ogygia run`.
#[derive(Debug, Args)]
#[command(after_help = exit_codes!(), after_long_help = COUNTED)]
pub struct Run {
    /// Which scenario; see --list
    #[arg(required_unless_present = "list", value_name = "SCENARIO")]
    pub scenario: Option<String>,
    /// Name the scenarios, one on each line
    #[arg(long, exclusive = true)]
    pub list: bool,
    /// Print one JSON object: the outcome, and what was exchanged (what is counted: --help)
    #[arg(long)]
    pub json: bool,
    /// How requests are made up: as few as possible, or so that card and SAM work at the same time
    #[arg(long, value_enum, default_value_t = Policy::Grouped)]
    pub policy: Policy,
    /// How long things take, in virtual time: default, fast or distributed
    #[arg(long, value_name = "NAME", default_value = "default", value_parser = model)]
    pub model: Model,
    /// Which card
    #[command(flatten)]
    pub card: CardChoice,
    /// The terminal's clock instead of the system's
    #[arg(long, value_name = "YYYY-MM-DDTHH:MM")]
    pub now: Option<String>,
    /// Where the terminal stands, by name or number
    #[arg(long, value_name = "PLACE", default_value = "Paris")]
    pub location: String,
    /// validate: what one trip costs with a stored value contract [default: 1]
    #[arg(long, help_heading = SOME, value_name = "AMOUNT", value_parser = clap::value_parser!(u32).range(1..=0x00FF_FFFF))]
    pub fare: Option<u32>,
    /// load-contract: what is sold [default: multi-trip]
    #[arg(long, help_heading = SOME, value_enum)]
    pub tariff: Option<Tariff>,
    /// load-contract: how many trips of a multi-trip contract [default: 10]
    #[arg(long, help_heading = SOME, value_name = "TRIPS", value_parser = clap::value_parser!(u32).range(1..=0x00FF_FFFF))]
    pub trips: Option<u32>,
    /// load-contract: how much of a stored value contract [default: 2500]
    #[arg(long, help_heading = SOME, value_name = "AMOUNT", value_parser = clap::value_parser!(u32).range(1..=0x00FF_FFFF))]
    pub amount: Option<u32>,
    /// load-contract: no other card than the one with this serial number
    #[arg(long, help_heading = SOME, value_name = "HEX")]
    pub serial: Option<String>,
    /// control: for how long a validation counts [default: 60]
    #[arg(long, help_heading = SOME, value_name = "MINUTES")]
    pub validity: Option<u32>,
    /// control: without a SAM, so that what is read is not authenticated
    #[arg(long, help_heading = SOME)]
    pub no_sam: bool,
    /// plain-pin, pin-in-session: the PIN that the holder types; for virtual cards, since others may see a command line
    #[arg(long, help_heading = SOME, value_name = "DIGITS", value_parser = secret)]
    pub pin: Option<Secret>,
    /// plain-pin, change-key-and-pin: the PIN that a change makes of it
    #[arg(long, help_heading = SOME, value_name = "DIGITS", value_parser = secret)]
    pub new_pin: Option<Secret>,
}

/// What is sold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Tariff {
    /// Thirty days.
    SeasonPass,
    /// Trips that are counted down.
    MultiTrip,
    /// An amount that is counted down.
    StoredValue,
}

/// What is typed and never shown, also not in an error of the command line.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(pub String);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(****)")
    }
}

impl Drop for Secret {
    fn drop(&mut self) {
        let mut bytes = std::mem::take(&mut self.0).into_bytes();
        bytes.fill(0);
        std::hint::black_box(&bytes);
    }
}

/// Takes anything: it is judged where no error repeats it.
#[expect(clippy::unnecessary_wraps, reason = "a parser may fail")]
fn secret(text: &str) -> Result<Secret, Infallible> {
    Ok(Secret(text.to_owned()))
}

/// How requests are made up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Policy {
    /// Fewest requests.
    Grouped,
    /// Shortest time.
    Overlapped,
}

impl From<Policy> for ogygia::transaction::Policy {
    fn from(policy: Policy) -> Self {
        match policy {
            Policy::Grouped => Self::Grouped,
            Policy::Overlapped => Self::Overlapped,
        }
    }
}

fn model(name: &str) -> Result<Model, String> {
    let names = Model::ALL.map(|model| model.name).join(", ");
    Model::from_name(name).ok_or_else(|| format!("there are: {names}"))
}

/// What the columns of the table mean: the end of the help of `ogygia bench`.
const COLUMNS: &str = concat!(
    "\
Columns, each of the transaction without its selection, with new cards:
  card, SAM    requests and commands, without challenges that are fetched before the card comes, and without a request
               that only closes the channel
  card bytes   out and in, status words included
  SAM bytes    the same, with challenges that are fetched ahead
  than spec    bytes more or less than the specification's figures, card and SAM; - where it has none of this scenario
  gate         virtual milliseconds until the gate may open: the card is authenticated, or all is done where no session
               authenticates it
  leave        virtual milliseconds until the card may leave: all is done
  bound        until the gate may open, if readers and SAM were never waited for but where one needs what another gives
  over         how much longer than that the gate stays closed

--json has the figures under the names of ogygia run --json, whose help says what each counts, in bytes and microseconds.
virtual_us is the gate, virtual_leave_us the leave, bound_us the bound. Two columns are not there, for they are computed:
\"than spec\" from specified_card_bytes and specified_sam_bytes (out and in together; null where it has -), and \"over\" from
virtual_us and bound_us.

",
    exit_codes!()
);

/// `ogygia bench`.
#[derive(Debug, Args)]
#[command(after_help = exit_codes!(), after_long_help = COLUMNS)]
pub struct Bench {
    /// Which scenarios; all of them when none is named
    #[arg(value_name = "SCENARIO")]
    pub scenarios: Vec<String>,
    /// Only in the time of this model: default, fast or distributed
    #[arg(long, value_name = "NAME", value_parser = model)]
    pub model: Option<Model>,
    /// Print a JSON object for each line of the table
    #[arg(long)]
    pub json: bool,
}

/// `ogygia read`.
#[derive(Debug, Args)]
#[command(after_help = exit_codes!())]
pub struct Read {
    /// Print the card image as JSON
    #[arg(long)]
    pub json: bool,
    /// Look at the application whose name begins so, and not at the ticketing application
    #[arg(long, value_name = "HEX", value_parser = name)]
    pub aid: Option<Name>,
    /// Which card
    #[command(flatten)]
    pub card: CardChoice,
}

/// Which virtual card.
#[derive(Debug, Args)]
pub struct CardChoice {
    /// Keep the virtual card in this file between runs; made when it is not there
    #[arg(long = "card", value_name = "FILE")]
    pub file: Option<PathBuf>,
    /// What a new virtual card is made of
    #[arg(long, value_name = "ID")]
    pub profile: Option<String>,
}

/// A name of an application, or its beginning.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name(pub Vec<u8>);

fn name(text: &str) -> Result<Name, &'static str> {
    hex::decode(text)
        .filter(|name| (1..=16).contains(&name.len()))
        .map(Name)
        .ok_or("1 to 16 bytes in hexadecimal digits")
}
