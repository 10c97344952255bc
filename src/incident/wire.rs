//! How a state becomes the hidden line, and how it is read back.
//!
//! A body of an issue takes 65,536 characters. A long line is deflated, and what would not fit even so
//! is kept short: of an incident about several, the words on its targets up to a limit; their
//! fingerprints not at all.

use std::io::{Read as _, Write as _};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::read::DeflateDecoder;
use flate2::write::DeflateEncoder;

use super::state::{Fingerprint, State};

/// The line's beginning in this version.
const BEGIN: &str = "<!-- noentry:v1 ";
/// The same, deflated and in Base64.
const PACKED: &str = "<!-- noentry:v1z ";
/// The line's beginning in any version.
const ANY: &str = "<!-- noentry:v";
const END: &str = " -->";
/// The longest JSON that is written as it is, in bytes.
const PLAIN: usize = 4_096;
/// The longest JSON that is unpacked, in bytes. What noentry writes is a hundredth of it.
const UNPACKED: u64 = 16 * 1024 * 1024;
/// How many targets of an incident about several are shown, and keep what was seen.
pub(super) const ROWS: usize = 200;
/// How many bytes of what was seen they keep together.
const WORDS: usize = 8_192;

/// The hidden line, without a line break.
///
/// # Errors
/// If the state cannot be written as JSON.
pub fn write(state: &State) -> Result<String, serde_json::Error> {
    let json = serde_json::to_string(&shortened(state))?;
    if json.len() > PLAIN {
        let mut packed = DeflateEncoder::new(Vec::new(), Compression::best());
        let packed = packed
            .write_all(json.as_bytes())
            .and_then(|()| packed.finish())
            .map_err(serde_json::Error::io)?;
        // The standard alphabet has neither angle brackets nor dashes.
        return Ok(format!("{PACKED}{}{END}", STANDARD.encode(packed)));
    }
    // Angle brackets and pairs of dashes stand in strings alone, where JSON has another way to write
    // them.
    let json = json
        .replace('<', "\\u003c")
        .replace('>', "\\u003e")
        .replace("--", "-\\u002d");
    Ok(format!("{BEGIN}{json}{END}"))
}

/// The same state without the words that are not shown, or that are too many.
fn shortened(state: &State) -> State {
    let mut state = state.clone();
    let order: Vec<usize> = shown(&state);
    let mut room = WORDS;
    let mut kept = vec![false; state.members.len()];
    for at in order.into_iter().take(ROWS) {
        let Some(member) = state.members.get(at) else {
            continue;
        };
        let by = member.shut.as_ref().map_or(0, |shut| shut.by.len());
        if let Some(left) = room.checked_sub(member.headline.len().saturating_add(by)) {
            room = left;
            if let Some(kept) = kept.get_mut(at) {
                *kept = true;
            }
        }
    }
    for (member, kept) in state.members.iter_mut().zip(kept) {
        if !kept {
            member.headline.clear();
            if let Some(shut) = &mut member.shut {
                shut.by.clear();
            }
        }
    }
    state
}

/// The order in which the targets of an incident about several are shown: what is open comes first.
pub(super) fn shown(state: &State) -> Vec<usize> {
    let all = || state.members.iter().enumerate();
    let open = all().filter(|(_, m)| m.open);
    let shut = all().filter(|(_, m)| !m.open);
    open.chain(shut).map(|(at, _)| at).collect()
}

/// Reads the hidden line.
///
/// # Errors
/// What is wrong with it, as a lowercase fragment.
pub fn read(line: &str) -> Result<State, String> {
    let line = line.trim_end();
    let inner = |begin: &str| line.strip_prefix(begin)?.strip_suffix(END);
    let mut state: State = if let Some(json) = inner(BEGIN) {
        serde_json::from_str(json).map_err(|error| format!("its state is broken: {error}"))?
    } else if let Some(packed) = inner(PACKED) {
        let json = unpacked(packed)?;
        serde_json::from_slice(&json).map_err(|error| format!("its state is broken: {error}"))?
    } else if line.starts_with(ANY) {
        return Err("its state was written by another version of noentry".to_owned());
    } else {
        return Err("its last line is not the state that noentry writes".to_owned());
    };
    if state.fingerprint != Fingerprint::of(state.kind, &state.name, &state.config) {
        return Err("its state has the fingerprint of another target".to_owned());
    }
    for member in &mut state.members {
        member.fingerprint = Fingerprint::target(&member.name, &state.config);
    }
    Ok(state)
}

fn unpacked(packed: &str) -> Result<Vec<u8>, String> {
    let bytes = STANDARD
        .decode(packed)
        .map_err(|error| format!("its state is broken: {error}"))?;
    let mut json = Vec::new();
    DeflateDecoder::new(bytes.as_slice())
        // A few bytes may stand for very many.
        .take(UNPACKED.saturating_add(1))
        .read_to_end(&mut json)
        .map_err(|error| format!("its state is broken: {error}"))?;
    if u64::try_from(json.len()).is_ok_and(|length| length <= UNPACKED) {
        Ok(json)
    } else {
        Err("its state is broken: it is longer than noentry writes".to_owned())
    }
}
