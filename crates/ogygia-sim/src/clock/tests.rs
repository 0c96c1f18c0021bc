use super::*;
use ogygia::Peer;

fn card_us(command: &[u8], answer: usize) -> u64 {
    Model::DEFAULT.exchange_us(Peer::Card, command, answer)
}

fn sam_us(instruction: u8, data: usize, answer: usize) -> u64 {
    let mut command = vec![0x80, instruction, 0, 0, 0];
    command.resize(5 + data, 0);
    Model::DEFAULT.exchange_us(Peer::Sam, &command, answer)
}

fn is_near(found: u64, measured_ms: u64) {
    let measured = measured_ms * 1_000;
    assert!(found.abs_diff(measured) < 200, "{found} instead of {measured}");
}

/// The measured pair, in milliseconds: each exchange with what it takes on the air or in the slot.
#[test]
fn the_default_is_as_measured() {
    is_near(card_us(&[0x00, 0x8A, 0x0B, 0x39, 0x04, 1, 2, 3, 4, 0], 8 + 29 + 2), 14);
    is_near(card_us(&[0x00, 0x8E, 0x00, 0x00, 0x04, 1, 2, 3, 4, 0], 6), 52);
    is_near(card_us(&[0x00, 0xB2, 0x00, 0x00, 0x00], 2), 42);
    is_near(sam_us(0x14, 8, 2), 55);
    is_near(sam_us(0x84, 0, 6), 3);
    is_near(sam_us(0x8A, 39, 2), 6);
    is_near(sam_us(0x8E, 0, 6), 9);
    is_near(sam_us(0x82, 4, 2), 94);
}

/// Specification of real cards, "Time": at 106 kbit/s a command of five bytes takes 0.69 ms on the air, a header of 25
/// bytes with its status 2.55 ms, a status alone 0.43 ms.
#[test]
fn the_air_is_as_measured() {
    let nothing = Model { card: CardModel { paces: &[], other_us: 0, ..Model::DEFAULT.card }, ..Model::DEFAULT };
    let air = |command: usize, answer| nothing.exchange_us(Peer::Card, &vec![1; command], answer);
    assert_eq!(air(5, 2), 698 + 443 + 1);
    assert_eq!(air(5, 27), 698 + 2_568);
    let fast = Model { card: CardModel { speed: 8, ..nothing.card }, ..nothing };
    assert_eq!(fast.exchange_us(Peer::Card, &[1; 5], 27), (698 + 2_567) / 8);
    // Longer messages are chained: one more frame, its acknowledgement, and two turns.
    assert_eq!(air(254, 2) - air(253, 2), (9 + 29 + 29) * 9_440 / 1_000 + 172);
}

#[test]
fn names_are_found() {
    for model in Model::ALL {
        assert_eq!(Model::from_name(model.name), Some(model));
    }
    assert_eq!(Model::from_name("no such"), None);
}
