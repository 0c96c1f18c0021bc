//! What some scenarios are told beyond card, clock and place.

use ogygia::command::Pin;

use crate::args;
use crate::error::Failure;
use crate::hex;
use crate::scenario::Scenario;
use crate::ticketing::load::Goods;

/// An option that some scenarios have.
struct Own {
    option: &'static str,
    is_given: fn(&args::Run) -> bool,
    scenarios: &'static [Scenario],
}

const fn own(option: &'static str, is_given: fn(&args::Run) -> bool, scenarios: &'static [Scenario]) -> Own {
    Own { option, is_given, scenarios }
}

/// Which scenarios have which options. All others belong to all of them.
const OWN: [Own; 9] = [
    own("--fare", |run| run.fare.is_some(), &[Scenario::Validate]),
    own("--tariff", |run| run.tariff.is_some(), &[Scenario::LoadContract]),
    own("--trips", |run| run.trips.is_some(), &[Scenario::LoadContract]),
    own("--amount", |run| run.amount.is_some(), &[Scenario::LoadContract]),
    own("--serial", |run| run.serial.is_some(), &[Scenario::LoadContract]),
    own("--validity", |run| run.validity.is_some(), &[Scenario::Control]),
    own("--no-sam", |run| run.no_sam, &[Scenario::Control]),
    own("--pin", |run| run.pin.is_some(), &[Scenario::PlainPin, Scenario::PinInSession]),
    own("--new-pin", |run| run.new_pin.is_some(), &[Scenario::PlainPin, Scenario::ChangeKeyAndPin]),
];

/// Refuses what would be ignored.
fn check(run: &args::Run, scenario: Scenario) -> Result<(), Failure> {
    let ignored = OWN.iter().find(|own| (own.is_given)(run) && !own.scenarios.contains(&scenario));
    if let Some(Own { option, scenarios, .. }) = ignored {
        let names: Vec<_> = scenarios.iter().map(|scenario| scenario.name()).collect();
        let why = format!("{option} does not belong to {}, but to {}", scenario.name(), names.join(" and "));
        return Err(Failure::usage(why));
    }
    let tariff = run.tariff.unwrap_or(args::Tariff::MultiTrip);
    match (run.trips, run.amount) {
        (Some(_), _) if tariff != args::Tariff::MultiTrip => {
            Err(Failure::usage("--trips belongs to --tariff multi-trip"))
        }
        (_, Some(_)) if tariff != args::Tariff::StoredValue => {
            Err(Failure::usage("--amount belongs to --tariff stored-value"))
        }
        _ => Ok(()),
    }
}

const DEFAULT_PIN: [u8; Pin::LEN] = *b"0000";
const DEFAULT_NEW_PIN: [u8; Pin::LEN] = *b"4711";

/// What some scenarios are told. Others do not look at it, and are not given it.
#[derive(Clone, Debug)]
pub struct Options {
    /// The amount of one trip of a stored value contract.
    pub fare: u32,
    /// What the holder types.
    pub pin: Pin,
    /// What a change of the PIN makes of it.
    pub new_pin: Pin,
    /// What is bought.
    pub goods: Goods,
    /// The only card that may be loaded.
    pub serial: Option<[u8; 8]>,
    /// For how many minutes a validation counts at a control.
    pub validity: u32,
    /// The terminal has a SAM.
    pub sam: bool,
}

impl Default for Options {
    /// As without any option on the command line.
    fn default() -> Self {
        Self {
            fare: 1,
            pin: Pin::new(DEFAULT_PIN),
            new_pin: Pin::new(DEFAULT_NEW_PIN),
            goods: Goods::Trips(10),
            serial: None,
            validity: 60,
            sam: true,
        }
    }
}

impl Options {
    /// Those of the command line, for `scenario`.
    ///
    /// # Errors
    ///
    /// What is wrong with them, or that the scenario has no such option.
    pub fn of(run: &args::Run, scenario: Scenario) -> Result<Self, Failure> {
        check(run, scenario)?;
        let goods = match run.tariff.unwrap_or(args::Tariff::MultiTrip) {
            args::Tariff::SeasonPass => Goods::SeasonPass,
            args::Tariff::MultiTrip => Goods::Trips(run.trips.unwrap_or(10)),
            args::Tariff::StoredValue => Goods::Value(run.amount.unwrap_or(2500)),
        };
        let serial = run.serial.as_deref().map(|text| {
            let bytes = hex::decode(text).and_then(|bytes| bytes.try_into().ok());
            bytes.ok_or_else(|| Failure::usage(format!("{text} is no serial number: 16 hexadecimal digits")))
        });
        Ok(Self {
            fare: run.fare.unwrap_or(1),
            pin: pin(run.pin.as_ref(), DEFAULT_PIN)?,
            new_pin: pin(run.new_pin.as_ref(), DEFAULT_NEW_PIN)?,
            goods,
            serial: serial.transpose()?,
            validity: run.validity.unwrap_or(60),
            sam: !run.no_sam,
        })
    }
}

/// Four digits. What was typed is not repeated: it may be nearly right.
fn pin(typed: Option<&args::Secret>, default: [u8; Pin::LEN]) -> Result<Pin, Failure> {
    let Some(typed) = typed else { return Ok(Pin::new(default)) };
    let bytes: Option<[u8; Pin::LEN]> = typed.0.as_bytes().try_into().ok();
    let digits = bytes.filter(|bytes| bytes.iter().all(u8::is_ascii_digit));
    digits.map(Pin::new).ok_or_else(|| Failure::usage("a PIN has four digits"))
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory, Parser};

    use super::*;

    /// The text of an option names the scenarios of the table, all of them and no others.
    #[test]
    fn options_are_documented_with_their_scenarios() {
        let command = args::Arguments::command();
        let run = command.find_subcommand("run").unwrap();
        let mut documented = Vec::new();
        for option in run.get_arguments() {
            let help = option.get_help().unwrap_or_default().to_string();
            let names = help.split_once(": ").map_or("", |(names, _)| names);
            let scenarios: Option<Vec<_>> = names.split(", ").map(Scenario::from_name).collect();
            if let (Some(scenarios), Some(long)) = (scenarios, option.get_long()) {
                documented.push((format!("--{long}"), scenarios));
            }
        }
        let table: Vec<_> = OWN.iter().map(|own| (own.option.to_owned(), own.scenarios.to_vec())).collect();
        assert_eq!(documented, table);
    }

    #[test]
    fn options_of_other_scenarios_are_refused() {
        for scenario in Scenario::ALL {
            for own in &OWN {
                let value = match own.option {
                    "--serial" => Some("0000000011223346"),
                    "--tariff" => Some("season-pass"),
                    "--pin" | "--new-pin" => Some("1234"),
                    "--no-sam" => None,
                    _ => Some("3"),
                };
                let mut line = vec!["ogygia", "run", scenario.name(), own.option];
                line.extend(value);
                if own.option == "--amount" && own.scenarios.contains(&scenario) {
                    line.extend(["--tariff", "stored-value"]);
                }
                let arguments = args::Arguments::try_parse_from(&line).unwrap();
                let args::Action::Run(run) = arguments.action else { panic!("{line:?}") };
                let options = Options::of(&run, scenario);
                assert_eq!(options.is_ok(), own.scenarios.contains(&scenario), "{line:?}");
                assert!(options.err().is_none_or(|failure| failure.exit_code() == 2));
            }
        }
    }
}
