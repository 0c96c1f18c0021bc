//! Stored Value.

use ogygia::command::{CloseSession, Command, CommandName, SvDebit, SvGet, SvOperation, SvReload};
use ogygia::{Argument, Error, Misuse, Peer, Untrusted};

use crate::bench::Bench;
use crate::desk::*;

const GET_RELOAD: SvGet = SvGet { operation: SvOperation::Reload };
const GET_DEBIT: SvGet = SvGet { operation: SvOperation::Debit };
const RELOAD: SvReload = SvReload { amount: 5, date: [1, 2], time: [3, 4], free: [5, 6] };
const DEBIT: SvDebit = SvDebit { amount: 5, date: [1, 2], time: [3, 4] };

/// CL-SV-CMDMODE.1.
#[test]
fn the_form_of_card_and_sam() {
    for (startup, sam, get, lc) in [
        (PLAIN, C1, "007C00091E", "14"),
        (PLAIN, S1D, "007C00091E", "14"),
        (EXTENDED, C1, "007C01093D", "19"),
        (EXTENDED, S1D, "007C00091E", "14"),
    ] {
        let mut desk = desk(card(startup), settings(sam));
        desk.process([GET_DEBIT.into(), DEBIT.into()]).unwrap();
        let sent = desk.sent(Peer::Card);
        assert_eq!((sent[0].as_str(), sent[1].get(..4), sent[1].get(8..10)), (get, Some("00BA"), Some(lc)));
    }
}

/// CL-SV-GETNUMBER.1.
#[test]
fn both_logs_take_two_commands() {
    for (get, expected) in [(GET_RELOAD, ["007C00091E", "007C000721"]), (GET_DEBIT, ["007C000721", "007C00091E"])] {
        let mut settings = settings(C1);
        settings.sv_load_and_debit_log = true;
        let mut desk = desk(card(PLAIN), settings);
        desk.process([get.into()]).unwrap();
        assert_eq!(desk.sent(Peer::Card), expected);
    }
}

/// CL-SV-GETRLOAD.1, CL-SV-GETDEBIT.1, CL-SV-1PCSS.1.
#[test]
fn an_operation_follows_its_sv_get_and_is_alone_in_a_session() {
    let out_of_turn = Err(Error::from(Misuse::StoredValueSequence));
    let alone: [Command<'_>; 2] = [RELOAD.into(), DEBIT.into()];
    for operation in alone {
        assert_eq!(plain_desk().prepare(operation), out_of_turn);
    }
    let crossed: [(SvGet, Command<'_>); 2] = [(GET_RELOAD, DEBIT.into()), (GET_DEBIT, RELOAD.into())];
    for (get, operation) in crossed {
        let mut desk = plain_desk();
        desk.prepare(get).unwrap();
        assert_eq!(desk.prepare(operation), out_of_turn);
    }
    let twice = |desk: &mut Bench| {
        desk.process([OPEN.into(), GET_RELOAD.into()]).unwrap();
        desk.process([RELOAD.into(), GET_RELOAD.into()]).unwrap();
        desk.prepare(RELOAD)
    };
    assert_eq!(twice(&mut plain_desk()), out_of_turn);
    let mut desk = plain_desk();
    for _ in 0..2 {
        desk.process([OPEN.into(), GET_RELOAD.into()]).unwrap();
        desk.process([RELOAD.into(), CloseSession.into()]).unwrap();
    }
    assert_eq!(desk.transaction.session().committed, 2);
}

/// CL-SV-DEBITVAL.1.
#[test]
fn amounts_of_a_debit() {
    for (amount, expected) in [(0, Ok(())), (32_767, Ok(())), (32_768, Err(Error::from(Argument::Amount)))] {
        let mut desk = plain_desk();
        desk.prepare(GET_DEBIT).unwrap();
        assert_eq!(desk.prepare(SvDebit { amount, ..DEBIT }), expected);
    }
}

/// CL-SV-POSTPON.1.
#[test]
fn the_mac_of_the_card_comes_with_the_closing() {
    let debit = |answer: Option<&[u8]>| {
        let mut desk = plain_desk();
        desk.process([OPEN.into(), GET_DEBIT.into()]).unwrap();
        desk.requests();
        if let Some(answer) = answer {
            desk.replace(CommandName::SamSvCheck, answer);
        }
        let result = desk.process([DEBIT.into(), CloseSession.into()]);
        (result, desk.sent(Peer::Sam))
    };
    let (result, sent) = debit(None);
    assert_eq!(result, Ok(()));
    assert!(sent.contains(&"8058000003444444".to_string()), "{sent:?}");
    assert_eq!(debit(Some(&[0x69, 0x88])).0, Err(Untrusted::StoredValueMac.into()));
}
