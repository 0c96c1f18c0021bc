//! Every command, refused with every status word of its table, answered a word that is in no table, too long an answer,
//! too short a one, or not the one that was certain; without a session and in one, under both policies.
//!
//! Each time the error names the peer, the command, its place and the word; a session that was open is aborted, once,
//! and nothing is left of it in the image; and the next card is served.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test may stop")]

#[path = "refusals/bench.rs"]
mod bench;
#[path = "refusals/on_sams.rs"]
mod on_sams;
#[path = "refusals/scenes.rs"]
mod scenes;

use bench::{Bench, Content};
use ogygia::apdu::{Batch, StatusWord};
use ogygia::command::{CloseSession, CommandName, Refusal};
use ogygia::selection::{Occurrence, Selection};
use ogygia::{Error, Misbehaviour, Misuse, Untrusted};
use scenes::{Length, Place, Scene, Tolerated, look_around, open_and_write, scenes};

/// The status words that are in no table and that nothing accepts.
const UNKNOWN: [u16; 4] = [0x0000, 0x1234, 0x6F00, 0x9001];

/// How many status words all tables have together, at least.
const WORDS: usize = 318;

/// What a SAM that works ahead is told when the session has been opened.
const BEFORE_THE_SCENE: [CommandName; 4] = [
    CommandName::SamSelectDiversifier,
    CommandName::SamDigestInit,
    CommandName::SamDigestUpdate,
    CommandName::SamDigestUpdateMultiple,
];

/// A scene that was played.
struct Played {
    bench: Bench,
    result: Result<(), Error>,
    /// The image before the session, or before the scene where there is none.
    before: Content,
}

fn play(scene: &Scene, instead: Option<&[u8]>) -> Played {
    let mut bench = Bench::new(scene.transaction(), scene.sam_first);
    look_around(&mut bench.transaction).unwrap();
    bench.run().unwrap();
    let outside = matches!(scene.place, Place::Outside | Place::Executed);
    let mut before = bench.content();
    // A SAM that begins before the scene may refuse before it.
    let begins = scene.sam_first && BEFORE_THE_SCENE.contains(&scene.name);
    if let (true, Some(answer)) = (begins, instead) {
        bench.replace(scene.name, answer);
    }
    if !outside && !scene.whole {
        open_and_write(&mut bench.transaction).unwrap();
        if let Err(error) = bench.run() {
            assert!(begins && bench.peers.replaced.is_some(), "{}", scene.title());
            return Played { bench, result: Err(error), before };
        }
        // So that restoring is more than doing nothing: what was written is known once the closing needs it.
        assert_ne!(bench.content(), before, "{}", scene.title());
    }
    (scene.before)(&mut bench.transaction).unwrap();
    if let Err(error) = bench.run() {
        assert!(begins && bench.peers.replaced.is_some(), "{}", scene.title());
        return Played { bench, result: Err(error), before };
    }
    if outside {
        before = bench.content();
    }
    if let (false, Some(answer)) = (begins, instead) {
        bench.replace(scene.name, answer);
    }
    (scene.prepare)(&mut bench.transaction).unwrap();
    let result = bench.run();
    assert_eq!(instead.is_some(), bench.peers.replaced.is_some(), "{} is not sent", scene.title());
    Played { bench, result, before }
}

/// The image after the scene, when all goes well.
fn content_after(scene: &Scene) -> Content {
    let Played { bench, result, .. } = play(scene, None);
    assert_eq!(result, Ok(()), "{}", scene.title());
    bench.content()
}

impl Played {
    fn failed_with_status(&self, scene: &Scene, word: u16, place: &str) {
        let (peer, index) = self.bench.peers.replaced.unwrap();
        let (command, status) = (scene.name, StatusWord(word));
        let expected = match (command, status) {
            (CommandName::SamDigestAuthenticate, StatusWord::WRONG_MAC) => Untrusted::SessionMac.into(),
            (CommandName::SamSvCheck, StatusWord::WRONG_MAC) => Untrusted::StoredValueMac.into(),
            (CommandName::SamPsoVerifySignature, StatusWord::WRONG_MAC) => Untrusted::Signature.into(),
            _ => Error::Status { peer, index, command, status },
        };
        assert_eq!(self.result, Err(expected), "{place}");
    }

    fn failed_with(&self, scene: &Scene, how: Misbehaviour, place: &str) {
        let (peer, index) = self.bench.peers.replaced.unwrap();
        assert_eq!(self.result, Err(Error::PeerMisbehaved { peer, index, command: scene.name, how }), "{place}");
    }

    /// Nothing is left of the session, and the card knows.
    fn is_undone(&self, aborted: bool, place: &str) {
        assert_eq!(self.bench.aborted(), aborted, "{place}");
        assert_eq!(self.bench.content(), self.before, "{place}");
        assert_eq!(self.bench.transaction.session().committed, 0, "{place}");
    }

    /// The card has executed everything.
    fn is_done(&self, scene: &Scene, place: &str) {
        assert!(!self.bench.aborted(), "{place}");
        assert_eq!(self.bench.content(), content_after(scene), "{place}");
        let committed = u32::from(scene.place != Place::Executed);
        assert_eq!(self.bench.transaction.session().committed, committed, "{place}");
    }

    /// The session is genuine when the SAM has said so, whatever else it refuses with the same answers.
    fn is_proven(&self, scene: &Scene, place: &str) {
        let proven = scene.place == Place::After && scene.name != CommandName::SamDigestAuthenticate;
        assert_eq!(self.bench.transaction.session().authenticated.is_some(), proven, "{place}");
    }

    fn is_given_up(&self, place: &str) {
        assert_eq!(self.result, Ok(()), "{place}");
        self.is_undone(true, place);
    }

    /// No session is open, and the next one is as it should be.
    fn serves_the_next(mut self, scene: &Scene, place: &str) {
        let bench = &mut self.bench;
        assert!(!bench.transaction.is_session_open(), "{place}");
        bench.transaction.restart(&(scene.card)()).unwrap();
        open_and_write(&mut bench.transaction).unwrap();
        bench.transaction.prepare(CloseSession).unwrap();
        assert_eq!(bench.run(), Ok(()), "{place}");
        assert!(bench.transaction.session().authenticated.is_some(), "{place}");
    }
}

/// What a refusal comes to.
fn check_refused(scene: &Scene, word: u16, place: &str) {
    let played = play(scene, Some(&word.to_be_bytes()));
    let tolerated = match scene.tolerated {
        Tolerated::Words(words) => words.contains(&word),
        Tolerated::All => true,
    };
    match scene.place {
        Place::Cancelling => played.is_given_up(place),
        _ if tolerated && scene.place == Place::Within => assert_eq!(played.result, Ok(()), "{place}"),
        Place::After if tolerated => {
            assert_eq!(played.result, Ok(()), "{place}");
            played.is_done(scene, place);
        }
        _ if tolerated => {
            assert_eq!(played.result, Ok(()), "{place}");
            played.is_undone(false, place);
        }
        Place::Outside | Place::Opening => {
            played.failed_with_status(scene, word, place);
            played.is_undone(false, place);
        }
        Place::Within | Place::Closing => {
            played.failed_with_status(scene, word, place);
            played.is_undone(true, place);
        }
        Place::Executed | Place::After => {
            played.failed_with_status(scene, word, place);
            played.is_done(scene, place);
            played.is_proven(scene, place);
        }
    }
    check_attempts(scene, word, &played, place);
    played.serves_the_next(scene, place);
}

/// A refused PIN tells how often it may still be presented, which survives an abort.
fn check_attempts(scene: &Scene, word: u16, played: &Played, place: &str) {
    let left = match (scene.name, word) {
        (CommandName::VerifyPin, 0x6983) => Some(0),
        (CommandName::VerifyPin, 0x63C0..=0x63CF) => Some(u8::try_from(word & 0x0F).unwrap()),
        _ => return,
    };
    assert_eq!(played.bench.transaction.card().pin_attempts_remaining(), left, "{place}");
}

/// The commands that are sent only without a session, or only in one, or around it.
const IN_ONE_PLACE: [CommandName; 22] = [
    CommandName::SelectApplication,
    CommandName::GetData,
    CommandName::PutData,
    CommandName::GenerateAsymmetricKeyPair,
    CommandName::ReadRecordMultiple,
    CommandName::SearchRecordMultiple,
    CommandName::ChangePin,
    CommandName::ChangeKey,
    CommandName::OpenSecureSession,
    CommandName::ManageSecureSession,
    CommandName::CloseSecureSession,
    CommandName::AbortSecureSession,
    CommandName::Ratification,
    CommandName::SamGetChallenge,
    CommandName::SamDigestInit,
    CommandName::SamDigestUpdate,
    CommandName::SamDigestUpdateMultiple,
    CommandName::SamDigestInternalAuthenticate,
    CommandName::SamDigestClose,
    CommandName::SamDigestAuthenticate,
    CommandName::SamCardGenerateKey,
    CommandName::SamSvCheck,
];

/// A new command is refused nowhere until it has its scenes.
#[test]
fn every_command_has_its_scenes() {
    let scenes = scenes();
    let has = |name, place| scenes.iter().any(|scene| scene.name == name && scene.place == place);
    for &name in CommandName::ALL {
        if name == CommandName::SelectApplication || on_sams::ONLY.contains(&name) {
            // Not sent by transactions with cards: see below, and the test `sam`.
        } else if IN_ONE_PLACE.contains(&name) {
            assert!(scenes.iter().any(|scene| scene.name == name), "{name} is refused nowhere");
        } else {
            assert!(has(name, Place::Outside) && has(name, Place::Within), "{name} is not refused in both places");
        }
    }
}

#[test]
fn every_scene_goes_well_otherwise() {
    for scene in scenes() {
        let played = play(&scene, None);
        assert_eq!(played.result, Ok(()), "{}", scene.title());
    }
}

#[test]
fn every_status_word_of_every_table() {
    let mut refused = 0;
    for scene in scenes() {
        for &(word, refusal) in scene.name.refusals() {
            let place = format!("{} {word:04X}", scene.title());
            assert_eq!(scene.name.refusal(StatusWord(word)), Some(refusal), "{place}");
            check_refused(&scene, word, &place);
            refused += 1;
        }
    }
    assert!(refused > 400, "{refused}");
    // A word that disappears from a table would be refused by no scene.
    let words: usize = CommandName::ALL.iter().map(|name| name.refusals().len()).sum();
    assert!(words >= WORDS, "{words}");
}

#[test]
fn the_error_says_what_the_word_means() {
    let scenes = scenes();
    let updating = scenes.iter().find(|scene| scene.name == CommandName::UpdateRecord).unwrap();
    let error = play(updating, Some(&[0x64, 0x00])).result.unwrap_err();
    assert!(error.to_string().ends_with(&Refusal::BufferOverflow.to_string()), "{error}");
    let error = play(updating, Some(&[0x6F, 0x00])).result.unwrap_err();
    assert!(error.to_string().ends_with("6F00"), "{error}");
}

#[test]
fn status_words_of_no_table() {
    for scene in scenes() {
        for word in UNKNOWN {
            let place = format!("{} {word:04X}", scene.title());
            assert_eq!(scene.name.refusal(StatusWord(word)), None, "{place}");
            check_refused(&scene, word, &place);
        }
    }
}

/// An instruction or class that the card does not know is an error like any other.
#[test]
fn unknown_instructions_and_classes() {
    for scene in scenes() {
        for word in [0x6D00, 0x6E00] {
            check_refused(&scene, word, &format!("{} {word:04X}", scene.title()));
        }
    }
}

#[test]
fn answers_without_a_status_word() {
    for scene in scenes() {
        for bytes in [&[][..], &[0x90]] {
            let place = format!("{} {bytes:02X?}", scene.title());
            let played = play(&scene, Some(bytes));
            match scene.place {
                Place::Cancelling => {
                    played.failed_with(&scene, Misbehaviour::NoStatus, &place);
                }
                Place::After if scene.name == CommandName::Ratification => {
                    assert_eq!(played.result, Ok(()), "{place}");
                    assert!(!played.bench.transaction.session().ratified, "{place}");
                    played.is_done(&scene, &place);
                }
                Place::Outside | Place::Opening => {
                    played.failed_with(&scene, Misbehaviour::NoStatus, &place);
                    played.is_undone(false, &place);
                }
                Place::Within | Place::Closing => {
                    played.failed_with(&scene, Misbehaviour::NoStatus, &place);
                    played.is_undone(true, &place);
                }
                Place::Executed | Place::After => {
                    played.failed_with(&scene, Misbehaviour::NoStatus, &place);
                    played.is_done(&scene, &place);
                }
            }
            played.serves_the_next(&scene, &place);
        }
    }
}

#[test]
fn answers_of_another_length() {
    for scene in scenes() {
        let place = format!("{}, another length", scene.title());
        let (data, how) = match scene.length {
            Length::Exactly(expected) => {
                let received = expected + 1;
                (vec![0x11; received], Misbehaviour::UnexpectedLength { expected, received })
            }
            Length::Unreadable(data, malformed) => (data.to_vec(), malformed.into()),
            Length::Any => {
                let played = play(&scene, Some(&[0x11, 0x11, 0x11, 0x11, 0x90, 0x00]));
                assert_eq!(played.result, Ok(()), "{place}");
                played.serves_the_next(&scene, &place);
                continue;
            }
        };
        let answer = [&data[..], &[0x90, 0x00]].concat();
        let played = play(&scene, Some(&answer));
        played.failed_with(&scene, how, &place);
        match (scene.place, scene.name) {
            // The card has opened a session, whatever it says about it.
            (Place::Opening, CommandName::OpenSecureSession) | (Place::Within, _) => played.is_undone(true, &place),
            (Place::Closing, _) => played.is_done(&scene, &place),
            (Place::Outside | Place::Opening, _) => played.is_undone(false, &place),
            (Place::Executed | Place::After | Place::Cancelling, _) => panic!("{place}"),
        }
        played.serves_the_next(&scene, &place);
    }
}

#[test]
fn answers_that_are_not_the_one_that_was_certain() {
    let mut predicted = 0;
    for scene in scenes() {
        let Some(other) = scene.other else { continue };
        let place = format!("{}, not as predicted", scene.title());
        let played = play(&scene, Some(other));
        played.failed_with(&scene, Misbehaviour::NotAsPredicted, &place);
        played.is_undone(true, &place);
        played.serves_the_next(&scene, &place);
        predicted += 1;
    }
    assert!(predicted >= 9, "{predicted}");
}

/// A session is over whatever the card says to its abort.
#[test]
fn a_refused_abort_behind_an_error() {
    let updating = scenes().into_iter().find(|scene| scene.place == Place::Within).unwrap();
    for &(word, _) in CommandName::AbortSecureSession.refusals() {
        let mut bench = Bench::new(updating.transaction(), false);
        let before = bench.content();
        open_and_write(&mut bench.transaction).unwrap();
        bench.run().unwrap();
        bench.replace(CommandName::AbortSecureSession, &word.to_be_bytes());
        bench.transaction.abandon().unwrap();
        assert_eq!(bench.resume(), Err(Misuse::Abandoned.into()));
        assert!(bench.aborted() && !bench.transaction.is_session_open(), "{word:04X}");
        assert_eq!(bench.content(), before, "{word:04X}");
    }
}

/// Select Application is sent by a selection only: whatever is no success means that the application is not there.
#[test]
fn a_refused_selection() {
    assert!(CommandName::SelectApplication.refusals().is_empty());
    let selection = Selection::by_name(b"1TIC.ICA", Occurrence::First).unwrap();
    for word in UNKNOWN.into_iter().chain([0x6283, 0x6700, 0x6A82, 0x6A86, 0x6D00]) {
        let answers: Batch = [&word.to_be_bytes()[..]].into_iter().collect();
        assert_eq!(selection.card(&[], &answers).unwrap().map(|card| card.product()), None, "{word:04X}");
    }
}
