//! Public keys of cards, and sessions that they signed.

use ogygia::pki::{CardPublicKey, PkiError, SessionDigest};

use super::{Answer, Unanswered, Vector, same, wrong};

/// The public key of a card, when a session begins with it.
pub(super) fn public_key(vector: &Vector) -> Result<Answer, Unanswered> {
    Ok(CardPublicKey::new(&vector.hex.0).map_or_else(Answer::from, |_| Answer::Valid))
}

/// A session, and its signature.
pub(super) fn session(vector: &Vector) -> Result<Answer, Unanswered> {
    let pairs = vector.pairs("apdus")?;
    let pairs = pairs.iter().map(|(command, answer)| (digested(&command.0), answer.0.as_slice()));
    let close = vector.members.get("close").and_then(|close| close.get(1)).and_then(serde_json::Value::as_str);
    let close = close.and_then(crate::hex::decode).ok_or_else(|| wrong("no answer to the closing"))?;
    let signature = close.strip_suffix(&[0x90, 0x00]).ok_or_else(|| wrong("the closing was refused"))?;
    let digest = match digest(pairs) {
        Ok(digest) => digest,
        Err(error) => return Ok(error.into()),
    };
    if vector.expected.valid {
        same("hash", &digest.clone().finish(), &vector.bytes("digest_sha256")?)?;
    }
    let key = CardPublicKey::new(&vector.bytes("card_public_key")?);
    let verified = key.and_then(|key| key.verify(digest, signature));
    Ok(verified.map_or_else(Answer::from, |()| Answer::Valid))
}

fn digest<'a>(mut pairs: impl Iterator<Item = (&'a [u8], &'a [u8])>) -> Result<SessionDigest, PkiError> {
    let (command, answer) = pairs.next().unwrap_or_default();
    let mut digest = SessionDigest::new(command, answer)?;
    pairs.try_for_each(|(command, answer)| digest.add(command, answer))?;
    Ok(digest)
}

/// A recorded command as a digest takes it. The core knows the case of what it sends; here, the bytes have to tell:
/// specification 04, "What the card signs".
fn digested(command: &[u8]) -> &[u8] {
    match (command, command.split_last()) {
        ([_, _, _, _, lc, ..], Some((_, without_le))) if command.len() > 6 && usize::from(*lc) + 6 == command.len() => {
            without_le
        }
        _ => command,
    }
}
