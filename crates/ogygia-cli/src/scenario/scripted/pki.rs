//! A session that the card signs: specification 02, "PKI session".

use ogygia::ChannelControl::CloseAfter;
use ogygia::command::{CloseSession, Command, OpenPkiSession};
use ogygia::pki::{CardCertificate, Issuer, PkiError, Validity};
use ogygia::transaction::{PkiSettings, Security, Transaction};
use ogygia_sim::TestAuthority;

use super::super::{Done, Outcome, Proof, Stage, setup};
use super::{SLOT, process, record};
use crate::error::Failure;
use crate::hex;
use crate::pki;
use crate::record::Phase;
use crate::ticketing::Contract;
use crate::ticketing::application::VALIDATOR;
use crate::ticketing::layout::TicketingFile;

/// Everything follows from it, so that a card in a file is accepted by the terminal of the next run.
const SEED: &[u8] = b"ogygia";

/// The terminal knows root and authority, and no secret: it verifies what the card signed.
pub(in crate::scenario) fn pki(stage: &mut Stage) -> Result<Done, Failure> {
    if stage.terminal.card.inner().card().pki_directories().next().is_none() {
        return Err(Failure::failed("this card has no asymmetric keys; kit-prime-pki-v3 is one that has"));
    }
    let today = pki::day_of(stage.clock)?;
    let authority = TestAuthority::new(SEED, today).map_err(|error| Failure::failed(error.to_string()))?;
    issue(stage, &authority)?;
    stage.begin();
    let terminal = &mut stage.terminal;
    terminal.begin(Phase::Selection);
    let card = terminal.select(VALIDATOR, false)?;
    let settings = PkiSettings::new(authority.full_store(), today);
    let mut transaction = Transaction::new(card, Security::Pki(settings))?;
    terminal.begin(Phase::Transaction);
    let step: [Command<'_>; 4] = [
        OpenPkiSession { challenge: challenge()? }.into(),
        record(TicketingFile::Environment.sfi(), 1),
        record(TicketingFile::Contracts.sfi(), SLOT),
        CloseSession.into(),
    ];
    process(&mut transaction, terminal, &step, CloseAfter)?;
    Ok(Done {
        outcome: Outcome::Success,
        proofs: transaction.session().authenticated.map(|_proof| Proof::CardSignature).into_iter().collect(),
        decided: chain(&transaction)?,
        changed: Vec::new(),
        result: format!("genuine: {}", read(&transaction)),
    })
}

/// Gives a fresh card something to read, and what it signs with.
fn issue(stage: &mut Stage, authority: &TestAuthority) -> Result<(), Failure> {
    if !stage.fresh {
        return Ok(());
    }
    setup::prepare(stage)?;
    let card = stage.terminal.card.inner_mut().card_mut();
    let directories: Vec<u16> = card.pki_directories().collect();
    for lid in directories {
        authority.personalize(card, lid).map_err(|error| Failure::failed(error.to_string()))?;
        stage.setup.push(format!("given a key pair and certificates for the application {lid:04X}"));
    }
    Ok(())
}

fn challenge() -> Result<[u8; 8], Failure> {
    let mut challenge = [0; 8];
    getrandom::fill(&mut challenge)
        .map_err(|error| Failure::failed(format!("the system gives no random numbers: {error}")))?;
    Ok(challenge)
}

/// The chain that was verified, from the root down to the card.
fn chain(transaction: &Transaction) -> Result<Vec<String>, Failure> {
    let card = transaction.card();
    let malformed = |error: PkiError| Failure::failed(error.to_string());
    let certificate = CardCertificate::parse(card.card_certificate()).map_err(malformed)?;
    let (Some(trusted), Some(key)) = (transaction.trusted(), transaction.verified_key()) else {
        return Ok(Vec::new());
    };
    let mut lines = vec!["The chain was verified, so that the card's key can be believed:".to_owned()];
    lines.extend(trusted.issuers().iter().map(issuer));
    lines.push(format!(
        "  card: serial number {}, application {}, {}, certified by key {}",
        hex::encode(&certificate.serial_number()),
        certificate.aid(),
        validity(key.content().validity),
        hex::encode(&certificate.issuer().key()),
    ));
    lines.push(
        "What was read stands in what the card signed with that key, together with a random number of ours.".to_owned(),
    );
    Ok(lines)
}

fn issuer(issuer: &Issuer) -> String {
    let key = hex::encode(&issuer.reference().key());
    if issuer.is_root() {
        return format!("  root: key {key}, trusted because the terminal has it");
    }
    let rights = if issuer.may_sign_cards() { "may certify cards" } else { "may not certify cards" };
    format!("  authority: key {key}, {rights}, {}, certified by the root", validity(issuer.validity()))
}

fn validity(Validity { start, end }: Validity) -> String {
    match (start, end) {
        (None, None) => "valid for ever".to_owned(),
        (Some(start), None) => format!("valid from {start}"),
        (None, Some(end)) => format!("valid until {end}"),
        (Some(start), Some(end)) => format!("valid from {start} until {end}"),
    }
}

/// What the traveller has.
fn read(transaction: &Transaction) -> String {
    let known = |file: TicketingFile| super::known(transaction, file.sfi(), SLOT);
    let contract = Contract::decode(&known(TicketingFile::Contracts));
    contract.map_or_else(|| "no contract".to_owned(), |contract| format!("contract {SLOT}: {contract}"))
}
