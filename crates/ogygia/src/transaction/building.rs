//! Putting commands into requests, and asking the SAM for what they are built with.
//!
//! Specification 02, "Cutting the list into blocks" and "Which commands need the crypto service, which can be
//! anticipated".

use super::Transaction;
use super::machine::{CardWork, SamWork, State};
use crate::apdu::Response;
use crate::command::{Encoder, Exchange, Exchanged, Forecast, Material, Prepared, Step};
use crate::error::Error;
use crate::request::ChannelControl;

impl Transaction {
    /// Begins with the first prepared command.
    pub(super) fn begin(&mut self) -> Result<State, Error> {
        self.block.restart(0);
        self.scratch.applied = None;
        if self.card.has_stray_session && self.list.len() > 0 {
            return Ok(self.abort(CardWork::AbortStray));
        }
        self.advance()
    }

    /// Puts commands into the block until an answer is needed.
    pub(super) fn advance(&mut self) -> Result<State, Error> {
        while let Some(prepared) = self.list.get(self.block.first + self.block.commands.len()) {
            let material = prepared.step.material();
            if material != Material::None && self.symmetric.is_some() {
                if !self.synchronize_block()? {
                    return Ok(self.send_block(ChannelControl::KeepOpen));
                }
                if !self.ask_material(material, prepared.step)? {
                    return Ok(State::Sam(SamWork::Material));
                }
            }
            self.push_to_block(prepared);
        }
        Ok(self.conclude())
    }

    /// All commands are in the block, or beyond: the rest is sent.
    pub(super) fn conclude(&mut self) -> State {
        if !self.block.commands.is_empty() {
            return self.send_block(self.channel);
        }
        if self.seal() {
            return State::Sam(SamWork::Rest);
        }
        if self.list.len() == 0 && self.channel == ChannelControl::CloseAfter {
            return State::Card(CardWork::CloseChannel);
        }
        State::Done(Ok(()))
    }

    fn send_block(&mut self, channel: ChannelControl) -> State {
        if self.is_verifying() && self.seal() {
            return State::Sam(SamWork::BeforeBlock(channel));
        }
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

    pub(super) fn push_to_block(&mut self, prepared: Prepared) {
        let material = match (&self.symmetric, prepared.step.material()) {
            (None, _) | (_, Material::None) => &[],
            (Some(symmetric), Material::Challenge) => symmetric.service.challenge(self.opening_form),
            (Some(symmetric), _) => symmetric.service.material(),
        };
        let encoder = Encoder {
            product: self.card.product(),
            quirks: self.card.identity.quirks,
            payload: self.list.payload(),
            material,
            purse_kvc: self.card.sv_get.kvc.unwrap_or_default(),
            sam_serial_number: self.symmetric.as_ref().map_or([0; 4], |symmetric| symmetric.settings.sam.serial_number),
        };
        self.block.push(prepared, self.card.postponed, &encoder);
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
        if prepared.step.depends_on_image() {
            self.update_scratch();
        }
        let Self { block, card, scratch, list, symmetric, .. } = self;
        let mut certain = false;
        let from = Forecast {
            product: card.product(),
            postponed: card.postponed,
            content: &scratch.content,
            pre_opened: prepared.moment.pre_opened,
            payload: list.payload(),
        };
        block.predictions.push_with(|out| certain = prepared.step.predict(&from, out));
        if !certain {
            block.predictions.truncate(index);
            return false;
        }
        if let (Some(symmetric), Some(answer)) = (symmetric, block.predictions.get(index)) {
            symmetric.service.digest(block.digested(index), answer);
        }
        true
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
                let command = block.commands.get(index).unwrap_or_default();
                let exchanged = Exchanged { answer, command, payload: list.payload() };
                // A prediction that does not fit the image was not made from it; the real answer will tell.
                let _ = prepared.step.change(&exchanged, &mut scratch.content);
            }
        }
        scratch.applied = Some(block.predictions.len());
    }
}
