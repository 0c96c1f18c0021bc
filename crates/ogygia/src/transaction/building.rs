//! Putting commands into requests, and asking the SAM for what they are built with.
//!
//! Specification 02, "Cutting the list into blocks" and "Which commands need the crypto service, which can be
//! anticipated".

use super::machine::{CardWork, SamWork, State};
use super::overlap::NextMaterial;
use super::{Symmetric, Transaction};
use crate::apdu::{Case, Response};
use crate::card::{Card, Sfi};
use crate::command::{Encoder, Exchange, Exchanged, Forecast, List, Material, Prepared, SessionForm, Step};
use crate::error::Error;
use crate::request::ChannelControl;

impl Transaction {
    /// Begins with the first prepared command.
    pub(super) fn begin(&mut self) -> Result<State, Error> {
        self.block.restart(0);
        self.scratch.applied = None;
        self.closed_ahead = None;
        self.channel_closed = false;
        self.check_sam()?;
        if self.card.has_stray_session && self.list.len() > 0 {
            return Ok(self.abort(CardWork::AbortStray));
        }
        self.advance()
    }

    /// Puts commands into the block until an answer is needed.
    pub(super) fn advance(&mut self) -> Result<State, Error> {
        while let Some(prepared) = self.list.get(self.block.first + self.block.commands.len()) {
            if let Some(state) = self.put(prepared)? {
                return Ok(state);
            }
        }
        Ok(self.conclude())
    }

    /// Puts the next command into the block, or tells what must be waited for before.
    fn put(&mut self, prepared: Prepared) -> Result<Option<State>, Error> {
        if self.cuts_before(prepared.step) {
            return Ok(Some(self.send_block(ChannelControl::KeepOpen)));
        }
        let material = prepared.step.material();
        let encrypted = self.is_encrypted(prepared);
        // What the SAM makes of its digest, or of the command itself, does not depend on the image.
        let needs_image = match material {
            Material::Mac | Material::EarlyMac => false,
            Material::None => !encrypted,
            _ => true,
        };
        if (needs_image || !self.block.commands.is_empty())
            && let Some(state) = self.resolve_deferred()
        {
            return Ok(Some(state));
        }
        if self.symmetric.is_some()
            && material != Material::None
            && let Some(state) = self.get_material(material, prepared.step)?
        {
            return Ok(Some(state));
        }
        if encrypted {
            return self.put_encrypted(prepared);
        }
        self.push_to_block(prepared);
        Ok(None)
    }

    /// What must be waited for before the next command can be built with what the SAM gives; nothing when it is at hand.
    fn get_material(&mut self, material: Material, step: Step) -> Result<Option<State>, Error> {
        match self.next_material {
            NextMaterial::AtHand => return Ok(None),
            NextMaterial::Asked => return Ok(Some(State::Sam(SamWork::Material))),
            NextMaterial::Unasked => {}
        }
        if !self.synchronize_block()? {
            return Ok(Some(self.send_block(ChannelControl::KeepOpen)));
        }
        if self.ask_material(material, step)? {
            return Ok(None);
        }
        if material == Material::Mac && self.can_send_before_mac() {
            self.next_material = NextMaterial::Asked;
            return Ok(Some(self.send_block(ChannelControl::KeepOpen)));
        }
        Ok(Some(State::Sam(SamWork::Material)))
    }

    fn put_encrypted(&mut self, prepared: Prepared) -> Result<Option<State>, Error> {
        let index = self.block.commands.len();
        if !self.build_clear(prepared) {
            if let Some(state) = self.resolve_deferred() {
                self.block.truncate_clear(index);
                return Ok(Some(state));
            }
            self.block.push_as_clear(prepared.step.continues_after(prepared.moment, self.card.postponed));
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
        State::Done(Ok(()))
    }

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
    fn ask_material(&mut self, material: Material, step: Step) -> Result<bool, Error> {
        self.catch_up();
        let Some(symmetric) = &mut self.symmetric else { return Ok(true) };
        let service = &mut symmetric.service;
        let challenge = self.card.challenge.unwrap_or_default();
        let at_hand = match material {
            Material::None => true,
            Material::Challenge => {
                if let Step::Opening(opening) = step {
                    self.opening_form = opening.form(&self.card);
                }
                service.ask_challenge(self.opening_form)
            }
            Material::Mac => {
                service.ask_mac();
                false
            }
            Material::EarlyMac => {
                service.ask_early_mac();
                false
            }
            Material::PinPresentation { pin, key } => {
                service.ask_pin_block(challenge, pin.of(self.list.payload()), key);
                false
            }
            Material::PinChange { pin, key } => {
                service.ask_new_pin_block(challenge, pin.of(self.list.payload()), key);
                false
            }
            Material::CardKey { new, issuer } => {
                service.ask_key_block(challenge, new, issuer);
                false
            }
            Material::StoredValue => {
                self.ask_stored_value(step)?;
                return Ok(false);
            }
        };
        if !at_hand {
            service.seal();
        }
        Ok(at_hand)
    }

    /// Builds a command that is sent in clear into the block.
    pub(super) fn push_to_block(&mut self, prepared: Prepared) {
        self.next_material = NextMaterial::Unasked;
        let Self { block, card, list, symmetric, opening_form, .. } = self;
        let encoder = encoder(prepared.step, card, list, symmetric, *opening_form);
        block.push(prepared, card.postponed, &encoder);
    }

    /// Builds a command in clear that has yet to be ciphered.
    pub(super) fn push_clear(&mut self, prepared: Prepared) -> Case {
        let Self { block, card, list, symmetric, opening_form, .. } = self;
        let encoder = encoder(prepared.step, card, list, symmetric, *opening_form);
        block.push_clear(prepared, &encoder)
    }

    /// Has the SAM digest the commands of the block before the card has seen them, as far as their answers are certain.
    /// False when one is not: specification 02, "Which commands need the crypto service, which can be anticipated".
    fn synchronize_block(&mut self) -> Result<bool, Error> {
        while let Some(prepared) = self.list.get(self.block.first + self.block.predictions.len()) {
            if self.block.predictions.len() == self.block.commands.len() {
                break;
            }
            let certain = match prepared.step {
                step if step.ends_block(prepared.moment, self.card.postponed) => false,
                Step::Opening(opening) => self.predict_opening(opening)?,
                _ => self.predict(prepared),
            };
            if !certain {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn predict(&mut self, prepared: Prepared) -> bool {
        let index = self.block.predictions.len();
        if !prepared.moment.in_session || !prepared.step.digested() {
            self.block.predictions.push(&[]);
            return true;
        }
        if self.is_encrypted(prepared) {
            return false;
        }
        let scratched = self.is_touched_by_predictions(prepared.step);
        if scratched {
            self.update_scratch();
        }
        let Self { block, card, scratch, list, symmetric, .. } = self;
        let mut certain = false;
        let from = Forecast {
            product: card.product(),
            postponed: card.postponed,
            content: if scratched { &scratch.content } else { &card.content },
            pre_opened: prepared.moment.pre_opened,
            payload: list.payload(),
        };
        block.predictions.push_with(|out| certain = prepared.step.predict(&from, out));
        if !certain {
            block.predictions.truncate(index);
            return false;
        }
        if let (Some(symmetric), Some(answer)) = (symmetric, block.predictions.get(index)) {
            symmetric.service.digest(block.clear_digested(index), answer);
        }
        true
    }

    /// Whether the answer to `step` depends on a file that predicted commands of the block act on.
    fn is_touched_by_predictions(&self, step: Step) -> bool {
        let Some(file) = step.image_source() else { return false };
        let first = self.block.first;
        let predicted = self.list.commands().get(first..first + self.block.predictions.len()).unwrap_or_default();
        let same = |other: Sfi| other == file || other == Sfi::CURRENT || file == Sfi::CURRENT;
        predicted.iter().any(|prepared| prepared.step.modifies() && prepared.step.file().is_none_or(same))
    }

    /// The scratch image is the image as the predicted commands of the block will leave it.
    fn update_scratch(&mut self) {
        let Self { block, card, scratch, list, .. } = self;
        if scratch.applied.is_none() {
            scratch.content.clone_from(&card.content);
        }
        let done = scratch.applied.unwrap_or(0);
        for (index, prediction) in block.predictions.iter().enumerate().skip(done) {
            if let (Some(prepared), Some(answer)) = (list.get(block.first + index), Response::parse(prediction)) {
                let command = block.clear(index);
                let exchanged = Exchanged { answer, command, payload: list.payload() };
                // A prediction that does not fit the image was not made from it; the real answer will tell.
                let _ = prepared.step.change(&exchanged, &mut scratch.content);
            }
        }
        scratch.applied = Some(block.predictions.len());
    }
}

/// What `step` is built with.
pub(super) fn encoder<'a>(
    step: Step,
    card: &'a Card,
    list: &'a List,
    symmetric: &'a mut Option<Symmetric>,
    opening_form: SessionForm,
) -> Encoder<'a> {
    let (material, sam_serial_number) = match symmetric {
        None => (&[][..], [0; 4]),
        Some(Symmetric { settings, service }) => {
            let material = match step.material() {
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
