//! Putting commands into requests, and asking the SAM for what they are built with.
//!
//! Specification 02, "Cutting the list into blocks" and "Which commands need the crypto service, which can be
//! anticipated".

use super::machine::{CardWork, SamWork, State};
use super::overlap::NextMaterial;
use super::{Symmetric, Transaction};
use crate::apdu::{Response, StatusWord};
use crate::card::Card;
use crate::command::{
    Change, Encoder, Exchange, Exchanged, Forecast, List, Material, Prepared, SessionForm, Step, Verify,
};
use crate::error::Error;
use crate::hint::unlikely;
use crate::request::ChannelControl;
use crate::sam::Service;

impl Transaction {
    /// Begins with the first prepared command.
    pub(super) fn begin(&mut self) -> Result<State, Error> {
        self.block.begin(&self.list);
        self.scratch.applied = None;
        self.closed_ahead = None;
        self.channel_closed = false;
        self.check_sam(0)?;
        if unlikely(self.list.is_secret()) {
            self.with_service(Service::guard_digest);
        }
        if unlikely(self.card.has_stray_session) && self.list.len() > 0 {
            return Ok(self.abort(CardWork::AbortStray));
        }
        self.advance()
    }

    /// Puts commands into the block until an answer is needed.
    pub(super) fn advance(&mut self) -> Result<State, Error> {
        while let Some(prepared) = self.list.get(self.block.end()) {
            if prepared.is_plain() && !self.overlaps() && !self.is_deferring() {
                self.put_plain();
                continue;
            }
            let prepared = *prepared;
            if let Some(state) = self.put(&prepared)? {
                return Ok(state);
            }
        }
        Ok(self.conclude())
    }

    /// Puts commands into the block up to the first one that is built with something of the SAM. They have nothing else to
    /// wait for, as long as the image lacks nothing and nobody works ahead.
    fn put_plain(&mut self) {
        let Self { block, card, list, symmetric, opening_form, .. } = self;
        let encoder = encoder(Material::None, card, list, symmetric, *opening_form);
        for prepared in list.from(block.end()).iter().take_while(|prepared| prepared.is_plain()) {
            block.push(prepared, card.postponed, &encoder);
        }
    }

    /// Puts the next command into the block, or tells what must be waited for before.
    #[inline(always)]
    fn put(&mut self, prepared: &Prepared) -> Result<Option<State>, Error> {
        let material = prepared.facts.material;
        if unlikely(self.cuts_before(&prepared.step)) {
            return Ok(Some(self.send_block(ChannelControl::KeepOpen)));
        }
        if self.is_deferring()
            && (prepared.needs_image() || !self.block.commands.is_empty())
            && let Some(state) = self.resolve_deferred()
        {
            return Ok(Some(state));
        }
        if self.symmetric.is_some()
            && material != Material::None
            && let Some(state) = self.get_material(prepared)?
        {
            return Ok(Some(state));
        }
        if prepared.is_encrypted() {
            return self.put_encrypted(prepared);
        }
        self.push_to_block(prepared);
        Ok(None)
    }

    /// What must be waited for before the next command can be built with what the SAM gives; nothing when it is at hand.
    #[inline(always)]
    fn get_material(&mut self, prepared: &Prepared) -> Result<Option<State>, Error> {
        match self.next_material {
            NextMaterial::AtHand => return Ok(None),
            NextMaterial::Asked => return Ok(Some(State::Sam(SamWork::Material))),
            NextMaterial::Unasked => {}
        }
        if !self.synchronize_block()? {
            return Ok(Some(self.send_block(ChannelControl::KeepOpen)));
        }
        if self.ask_material(&prepared.step)? {
            return Ok(None);
        }
        if prepared.facts.material == Material::Mac && self.can_send_before_mac() {
            self.next_material = NextMaterial::Asked;
            return Ok(Some(self.send_block(ChannelControl::KeepOpen)));
        }
        Ok(Some(State::Sam(SamWork::Material)))
    }

    #[cold]
    fn put_encrypted(&mut self, prepared: &Prepared) -> Result<Option<State>, Error> {
        let index = self.block.commands.len();
        if !self.build_clear(prepared) {
            if let Some(state) = self.resolve_deferred() {
                self.block.truncate_clear(index);
                return Ok(Some(state));
            }
            self.block.push_as_clear(prepared.continues_after(self.card.postponed));
            return Ok(None);
        }
        if !self.synchronize_block()? {
            self.block.truncate_clear(index);
            return Ok(Some(self.send_block(ChannelControl::KeepOpen)));
        }
        self.next_material = NextMaterial::Unasked;
        Ok(Some(self.ask_cipher()))
    }

    /// The request that has the SAM decipher what the image lacks.
    fn resolve_deferred(&mut self) -> Option<State> {
        (self.is_deferring() && self.flush_encrypted() && self.seal()).then_some(State::Sam(SamWork::Continue))
    }

    /// All commands are in the block, or beyond: the rest is sent.
    #[inline(always)]
    pub(super) fn conclude(&mut self) -> State {
        if !self.block.commands.is_empty() {
            let channel = if self.may_need_issuer() { ChannelControl::KeepOpen } else { self.channel };
            return self.send_block(channel);
        }
        if self.is_deferring() {
            self.flush_encrypted();
        }
        self.catch_up();
        if self.seal() {
            return State::Sam(SamWork::Rest);
        }
        if self.channel == ChannelControl::CloseAfter && !core::mem::replace(&mut self.channel_closed, true) {
            return State::Card(CardWork::CloseChannel);
        }
        State::Done
    }

    #[inline(always)]
    fn send_block(&mut self, channel: ChannelControl) -> State {
        if self.is_deferring() {
            self.flush_encrypted();
        }
        if (self.is_verifying() || self.is_deferring()) && self.seal() && !self.overlaps_ratification() {
            return State::Sam(SamWork::BeforeBlock(channel));
        }
        self.channel_closed = channel == ChannelControl::CloseAfter;
        State::Card(CardWork::Block(channel))
    }

    /// Whether the card has committed a session and its authenticity is in question.
    pub(super) fn is_verifying(&self) -> bool {
        self.symmetric.as_ref().is_some_and(|symmetric| symmetric.service.is_verifying())
    }

    pub(super) fn seal(&mut self) -> bool {
        self.symmetric.as_mut().is_some_and(|symmetric| symmetric.service.seal())
    }

    /// Asks the SAM for what `step` is built with. True when it is at hand.
    #[inline(always)]
    fn ask_material(&mut self, step: &Step) -> Result<bool, Error> {
        self.catch_up();
        let Some(symmetric) = &mut self.symmetric else { return Ok(true) };
        let service = &mut symmetric.service;
        let at_hand = match step {
            Step::Opening(opening) => {
                self.opening_form = opening.form(&self.card);
                service.ask_challenge(self.opening_form)
            }
            Step::Close(_) => {
                service.ask_mac();
                false
            }
            step => return self.ask_rarer_material(*step),
        };
        if !at_hand {
            service.seal();
        }
        Ok(at_hand)
    }

    #[cold]
    fn ask_rarer_material(&mut self, step: Step) -> Result<bool, Error> {
        let Some(symmetric) = &mut self.symmetric else { return Ok(true) };
        let service = &mut symmetric.service;
        let challenge = self.card.challenge.unwrap_or_default();
        let payload = self.list.payload();
        match step {
            Step::Manage(_) => service.ask_early_mac(),
            Step::Verify(Verify::Ciphered { pin, key }) => service.ask_pin_block(challenge, pin.of(payload), key),
            Step::Change(Change::CipheredPin { pin, key }) => {
                service.ask_new_pin_block(challenge, pin.of(payload), key);
            }
            Step::Change(Change::Key { new, issuer, .. }) => service.ask_key_block(challenge, new, issuer),
            Step::StoredValue(operation) => self.ask_stored_value(operation)?,
            _ => return Ok(true),
        }
        self.seal();
        Ok(false)
    }

    /// Builds a command that is sent in clear into the block.
    pub(super) fn push_to_block(&mut self, prepared: &Prepared) {
        self.next_material = NextMaterial::Unasked;
        let Self { block, card, list, symmetric, opening_form, .. } = self;
        let encoder = encoder(prepared.facts.material, card, list, symmetric, *opening_form);
        block.push(prepared, card.postponed, &encoder);
    }

    /// Builds a command in clear that has yet to be ciphered.
    pub(super) fn push_clear(&mut self, prepared: &Prepared) {
        let Self { block, card, list, symmetric, opening_form, .. } = self;
        let encoder = encoder(prepared.facts.material, card, list, symmetric, *opening_form);
        block.push_clear(prepared, &encoder);
    }

    /// Has the SAM digest the commands of the block before the card has seen them, as far as their answers are certain.
    /// False when one is not: specification 02, "Which commands need the crypto service, which can be anticipated".
    #[inline(always)]
    fn synchronize_block(&mut self) -> Result<bool, Error> {
        self.predict_successes();
        while self.block.predictions.len() < self.block.commands.len() {
            let Some(&prepared) = self.list.get(self.block.first + self.block.predictions.len()) else { break };
            let certain = match prepared.step {
                _ if prepared.ends_block(self.card.postponed) => false,
                Step::Opening(opening) => self.predict_opening(opening)?,
                _ => self.predict(&prepared),
            };
            if !certain {
                return Ok(false);
            }
            self.predict_successes();
        }
        Ok(true)
    }

    /// Predicts the answers that are certain to be `9000`, up to the first that is not.
    #[inline(always)]
    fn predict_successes(&mut self) {
        let Self { block, list, symmetric: Some(symmetric), .. } = self else { return };
        let answer = StatusWord::SUCCESS.to_bytes();
        let predicted = block.predictions.len();
        let next = list.from(block.first + predicted).iter().take(block.commands.len() - predicted);
        let only_succeeds =
            |prepared: &&Prepared| prepared.facts.only_succeeds() && prepared.is_digested() && !prepared.is_encrypted();
        for prepared in next.take_while(only_succeeds) {
            symmetric.service.digest(block.clear_digested(prepared, block.predictions.len()), &answer);
            block.predictions.push(&answer);
            block.note_predicted(prepared);
        }
    }

    #[inline(always)]
    fn predict(&mut self, prepared: &Prepared) -> bool {
        let index = self.block.predictions.len();
        if !prepared.is_digested() {
            self.block.predictions.push(&[]);
            self.block.note_predicted(prepared);
            return true;
        }
        if prepared.is_encrypted() {
            return false;
        }
        let scratched = self.block.is_touched_by_predictions(prepared);
        if scratched {
            self.update_scratch();
        }
        let Self { block, card, scratch, list, symmetric, .. } = self;
        let from = Forecast {
            product: card.product(),
            postponed: card.postponed,
            content: if scratched { &scratch.content } else { &card.content },
            pre_opened: prepared.moment.pre_opened(),
            payload: list.payload(),
        };
        let certain = block.predictions.push_with(|out| prepared.step.predict(&from, out));
        if !certain {
            block.predictions.truncate(index);
            return false;
        }
        block.note_predicted(prepared);
        block.note_another_file();
        if let (Some(symmetric), Some(answer)) = (symmetric, block.predictions.get(index)) {
            symmetric.service.digest(block.clear_digested(prepared, index), answer);
        }
        true
    }

    /// The scratch image is the image as the predicted commands of the block will leave it.
    #[cold]
    fn update_scratch(&mut self) {
        let Self { block, card, scratch, list, .. } = self;
        if scratch.applied.is_none() {
            scratch.content.clone_from(&card.content);
        }
        for index in scratch.applied.unwrap_or(0)..block.predictions.len() {
            let answer = block.predictions.get(index).and_then(Response::parse);
            if let (Some(prepared), Some(answer)) = (list.get(block.first + index), answer) {
                let command = block.applied(prepared, index);
                let exchanged = Exchanged { answer, command, payload: list.payload() };
                // A prediction that does not fit the image was not made from it; the real answer will tell.
                let _ = prepared.step.change(&exchanged, &mut scratch.content);
            }
        }
        scratch.applied = Some(block.predictions.len());
    }
}

/// What a command is built with that takes this `material`.
pub(super) fn encoder<'a>(
    material: Material,
    card: &'a Card,
    list: &'a List,
    symmetric: &'a mut Option<Symmetric>,
    opening_form: SessionForm,
) -> Encoder<'a> {
    let (material, sam_serial_number) = match symmetric {
        None => (&[][..], [0; 4]),
        Some(Symmetric { settings, service }) => {
            let material = match material {
                Material::None => &[],
                Material::Challenge => service.challenge(opening_form),
                _ => service.take_material(),
            };
            (material, settings.sam.serial_number)
        }
    };
    Encoder {
        product: card.product(),
        quirks: card.identity.quirks,
        payload: list.payload(),
        material,
        purse_kvc: card.sv_get.kvc.unwrap_or_default(),
        sam_serial_number,
    }
}
